import { createDatabase, PrismaConnectionStore, PrismaWorkspaceStore } from '@pademelon/database';
import { ConnectionService, WorkspaceService } from '@pademelon/domain';
import { createTestDatabase } from '@pademelon/testing';
import { EnvelopeVault } from '@pademelon/tokens';
import { expect, onTestFinished, test } from 'vitest';

const oldKey = { id: 'old', key: Buffer.alloc(32, 1) };
const newKey = { id: 'new', key: Buffer.alloc(32, 2) };
const ada = { userId: 'ada', email: 'ada@example.org', isAdmin: true };

test('a rotation puts every row under the new key, names what does not open, and can be repeated', async () => {
  const test = await createTestDatabase();
  onTestFinished(() => test.drop());
  const database = createDatabase(test.pool);
  const tampered: string[] = [];
  const serviceWith = (...keys: (typeof oldKey)[]): ConnectionService =>
    new ConnectionService({
      store: new PrismaConnectionStore(database),
      workspaces: new WorkspaceService(new PrismaWorkspaceStore(database)),
      vault: new EnvelopeVault(keys),
      tester: { findFault: () => null, test: () => Promise.reject(new Error('not asked for')) },
      onTampered: (id) => tampered.push(id),
      onBlocked: () => undefined,
    });
  const before = serviceWith(oldKey);
  // More than one batch of them.
  const names = Array.from({ length: 230 }, (_, index) => `connection ${index}`);
  const ids = await Promise.all(names.map((name) => before.create(ada, { name, type: 'X', details: { of: name } })));
  await before.create(ada, { name: 'bare', type: 'X', details: null });
  const broken = ids[7] as string;
  await test.pool.query("UPDATE connections SET sealed_details = '\\x0102' WHERE id = $1", [broken]);

  const during = serviceWith(newKey, oldKey);
  expect(await during.rotateKeys(ada)).toEqual({ keyId: 'new', rewrapped: 229, failed: [broken] });
  expect(tampered).toEqual([broken]);
  expect(await during.rotateKeys(ada)).toEqual({ keyId: 'new', rewrapped: 0, failed: [broken] });

  const after = serviceWith(newKey);
  for (const name of names.filter((_, index) => index !== 7)) {
    expect((await after.get(ada, { name })).details).toEqual({ of: name });
  }
  expect((await after.get(ada, { name: 'bare' })).details).toBeNull();
});
