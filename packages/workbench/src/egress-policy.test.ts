import { describe, expect, test } from 'vitest';
import { mayConnect, parseAllowedAddresses } from './egress-policy.ts';

describe('where nothing is allowed or linked', () => {
  const policy = { allowed: [], linked: [] };

  test.each([
    ['8.8.8.8', 80],
    ['8.8.8.8', 443],
    ['2606:4700::1111', 443],
  ])('the public address %s may be reached at port %i', (address, port) => {
    expect(mayConnect(policy, { host: address, port }, address)).toBe(true);
    expect(mayConnect(policy, { host: 'web.example', port }, address)).toBe(true);
  });

  test.each([22, 25, 53, 79, 81, 442, 444, 5432, 8080, 8443])(
    'a public address may not be reached at port %i',
    (port) => {
      expect(mayConnect(policy, { host: '8.8.8.8', port }, '8.8.8.8')).toBe(false);
      expect(mayConnect(policy, { host: 'web.example', port }, '8.8.8.8')).toBe(false);
    },
  );

  test.each(['10.0.0.5', '127.0.0.1', '169.254.169.254', 'fd00::5', '::1', '::ffff:10.0.0.5'])(
    '%s may not be reached at the ports of the web',
    (address) => {
      for (const port of [80, 443]) {
        expect(mayConnect(policy, { host: address, port }, address)).toBe(false);
        expect(mayConnect(policy, { host: 'web.example', port }, address)).toBe(false);
      }
    },
  );
});

test.each(['10.0.0.5', 'fd00::5', '127.0.0.1', '169.254.169.254'])(
  'an operator opens %s at the port that they name, and no other',
  (address) => {
    const policy = { allowed: [{ host: address, port: 9050 }], linked: [] };
    expect(mayConnect(policy, { host: address, port: 9050 }, address)).toBe(true);
    expect(mayConnect(policy, { host: address, port: 9051 }, address)).toBe(false);
    expect(mayConnect(policy, { host: address, port: 80 }, address)).toBe(false);
    // Somebody else's name for the same address is not what was allowed.
    expect(mayConnect(policy, { host: 'rebind.example', port: 9050 }, address)).toBe(false);
  },
);

test('a linked connection opens its port on a public address, and no other port', () => {
  const policy = { allowed: [], linked: [{ host: 'db.example', port: 5432 }] };
  expect(mayConnect(policy, { host: 'DB.example', port: 5432 }, '8.8.8.8')).toBe(true);
  expect(mayConnect(policy, { host: 'db.example', port: 5433 }, '8.8.8.8')).toBe(false);
  expect(mayConnect(policy, { host: 'db.example', port: 5432 }, '10.0.0.1')).toBe(false);
});

test('a linked connection opens no private address that it names itself', () => {
  const policy = { allowed: [], linked: [{ host: '10.0.0.5', port: 5432 }] };
  expect(mayConnect(policy, { host: '10.0.0.5', port: 5432 }, '10.0.0.5')).toBe(false);
});

test('allowed addresses are names and IP addresses with a port', () => {
  expect(parseAllowedAddresses('X', ' db.internal:5432,10.0.0.5:9050, [fd00::5]:443,')).toEqual([
    { host: 'db.internal', port: 5432 },
    { host: '10.0.0.5', port: 9050 },
    { host: 'fd00::5', port: 443 },
  ]);
  expect(parseAllowedAddresses('X', '')).toEqual([]);
});

test.each(['db.internal', 'db:0', 'db:65536', 'db:x', 'fd00::5', 'a b:1', 'http://db:80', ':80'])(
  '%s is refused by the name of the setting',
  (text) => expect(() => parseAllowedAddresses('PADEMELON_RUN_ALLOW', text)).toThrow(/^PADEMELON_RUN_ALLOW takes/),
);
