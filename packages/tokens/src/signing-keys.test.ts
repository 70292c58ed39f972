import type { SigningKeyStore, StoredSigningKey } from '@pademelon/domain';
import { expect, test } from 'vitest';
import { openSealedJson, sealJson } from './sealed-json.ts';
import { SigningKeys } from './signing-keys.ts';

const day = 24 * 3600;
const sealingKey = Buffer.alloc(32, 1);

function setup(options: { sealingKey?: Buffer; oldSealingKey?: Buffer; rows?: StoredSigningKey[] } = {}) {
  let rows = options.rows ?? [];
  const store: SigningKeyStore = {
    list: async () => rows.toSorted((left, right) => right.ageSeconds - left.ageSeconds),
    insert: async (key, unlessYoungerThanSeconds) => {
      if (rows.some((row) => row.ageSeconds <= unlessYoungerThanSeconds)) return false;
      rows.push({ ...key, ageSeconds: 0 });
      return true;
    },
    delete: async (kids) => {
      rows = rows.filter((row) => !kids.includes(row.kid));
    },
  };
  return {
    keys: new SigningKeys({ store, sealingKey, ...options }),
    pass: (seconds: number) => {
      rows = rows.map((row) => ({ ...row, ageSeconds: row.ageSeconds + seconds }));
    },
    rows: () => rows,
  };
}

test('the first load makes a key, whose private part is sealed', async () => {
  const { keys, rows } = setup();
  const [key] = await keys.load();
  expect(key?.jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', kid: key?.kid, d: expect.any(String) });
  expect(rows()[0]?.publicJwk).not.toHaveProperty('d');
  expect(Buffer.from(rows()[0]?.sealedPrivateJwk ?? []).toString('latin1')).not.toContain(key?.jwk.d);
});

test('a key signs for 90 days, its successor after a minute, and it is published two days longer', async () => {
  const { keys, pass } = setup();
  const [first] = await keys.load();
  pass(90 * day);
  expect(await keys.load()).toEqual([first]);
  pass(1);
  const [signing, successor] = await keys.load();
  expect(signing).toEqual(first);
  pass(60);
  expect((await keys.load()).map((key) => key.kid)).toEqual([successor?.kid, first?.kid]);
  pass(2 * day);
  expect(await keys.load()).toHaveLength(2);
  pass(1);
  expect((await keys.load()).map((key) => key.kid)).toEqual([successor?.kid]);
});

test('keys sealed with another secret key are told as that', async () => {
  const { keys, rows } = setup();
  await keys.load();
  const other = setup({ sealingKey: Buffer.alloc(32, 2), rows: rows() });
  await expect(other.keys.load()).rejects.toThrow('does not open');
  await expect(other.keys.load()).rejects.toThrow('PADEMELON_OLD_SECRET_KEY');
});

test('keys of the secret key before give way to a new one, and keys of yet another do not', async () => {
  const { keys, rows } = setup();
  const [first] = await keys.load();
  const [present, unknown] = [Buffer.alloc(32, 2), Buffer.alloc(32, 3)];
  const stranger = setup({ sealingKey: present, oldSealingKey: unknown, rows: rows() });
  await expect(stranger.keys.load()).rejects.toThrow('does not open');
  const replaced = setup({ sealingKey: present, oldSealingKey: sealingKey, rows: rows() });
  const [second, ...rest] = await replaced.keys.load();
  expect(rest).toEqual([]);
  expect(second?.kid).not.toBe(first?.kid);
  expect(await replaced.keys.load()).toEqual([second]);
});

test('a sealed value opens with its key, in its place and unchanged only', () => {
  const sealed = sealJson({ secret: 1 }, sealingKey, 'here');
  expect(openSealedJson(sealed, sealingKey, 'here')).toEqual({ secret: 1 });
  expect(() => openSealedJson(sealed, Buffer.alloc(32, 2), 'here')).toThrow();
  expect(() => openSealedJson(sealed, sealingKey, 'there')).toThrow();
  for (const at of [0, 12, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] as number) ^ 1;
    expect(() => openSealedJson(changed, sealingKey, 'here')).toThrow();
  }
  expect(() => openSealedJson(sealed.subarray(0, 20), sealingKey, 'here')).toThrow();
});
