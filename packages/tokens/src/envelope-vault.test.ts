import { expect, test } from 'vitest';
import { EnvelopeVault } from './envelope-vault.ts';

const oldKey = { id: 'old', key: Buffer.alloc(32, 1) };
const newKey = { id: 'new', key: Buffer.alloc(32, 2) };
const details = { password: 'correct-horse', port: 5432, nested: { é: null } };

test('what is sealed opens for its row alone', () => {
  const vault = new EnvelopeVault([oldKey]);
  const sealed = vault.seal('row-1', details);
  expect(sealed.keyId).toBe('old');
  expect(Buffer.from(sealed.bytes).includes('correct-horse')).toBe(false);
  expect(vault.open('row-1', sealed)).toEqual(details);
  expect(() => vault.open('row-2', sealed)).toThrow();
});

test('the same details are never sealed to the same bytes', () => {
  const vault = new EnvelopeVault([oldKey]);
  const [one, other] = [vault.seal('row', details), vault.seal('row', details)];
  expect(Buffer.from(one.bytes).equals(Buffer.from(other.bytes))).toBe(false);
});

test('no byte can be changed and none left out', () => {
  const vault = new EnvelopeVault([oldKey]);
  const { bytes, keyId } = vault.seal('row', details);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    expect(() => vault.open('row', { bytes: changed, keyId }), `byte ${at}`).toThrow();
    expect(() => vault.open('row', { bytes: bytes.subarray(0, at), keyId }), `cut at ${at}`).toThrow();
  }
});

test('a rewrap moves to the current key, after which the old one is of no use', () => {
  const sealed = new EnvelopeVault([oldKey]).seal('row', details);
  const both = new EnvelopeVault([newKey, oldKey]);
  expect(both.open('row', sealed)).toEqual(details);
  const rewrapped = both.rewrap('row', sealed);
  expect(rewrapped.keyId).toBe('new');
  expect(new EnvelopeVault([newKey]).open('row', rewrapped)).toEqual(details);
  expect(() => new EnvelopeVault([oldKey]).open('row', rewrapped)).toThrow('"new"');
  expect(() => both.rewrap('other row', sealed)).toThrow();
});

test('a key under another id does not open', () => {
  const sealed = new EnvelopeVault([oldKey]).seal('row', details);
  const renamed = new EnvelopeVault([{ id: 'renamed', key: oldKey.key }]);
  expect(() => renamed.open('row', { ...sealed, keyId: 'renamed' })).toThrow();
});
