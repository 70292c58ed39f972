import type { User } from '@pademelon/domain';
import { expect, test } from 'vitest';
import { accessTokenClaims, profileClaims } from './access-token-claims.ts';

const ada: User = {
  id: 'ada',
  email: 'ada@example.org',
  username: 'ada@example.org',
  firstName: 'Ada',
  lastName: null,
  isEnabled: true,
  isAdmin: true,
  tokensValidAfter: new Date(0),
  createdAt: new Date(0),
  lastLoginAt: null,
};
const facts = { clientId: 'sdk-client', grantId: undefined, issuedAtSeconds: 1_800_000_000 };

test('a token issued in the second of a revocation is dated after it, and any other when it was issued', () => {
  const revokedNow = { ...ada, tokensValidAfter: new Date(1_800_000_000_500) };
  expect(accessTokenClaims({ ...facts, user: revokedNow })['iat']).toBe(1_800_000_001);
  expect(accessTokenClaims({ ...facts, user: ada })['iat']).toBe(1_800_000_000);
});

test('administrators are told as such', () => {
  expect(accessTokenClaims({ ...facts, user: ada })).toMatchObject({
    realm_access: { roles: ['default-roles-master', 'admin'] },
    'https://hasura.io/jwt/claims': { 'x-hasura-default-role': 'admin_user' },
  });
});

test('names that a user does not have are left out', () => {
  expect(profileClaims(ada)).toMatchObject({ name: 'Ada', given_name: 'Ada' });
  expect(profileClaims(ada)).not.toHaveProperty('family_name');
  expect(profileClaims({ ...ada, firstName: null })).not.toHaveProperty('name');
});
