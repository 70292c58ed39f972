import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { checkRooms } from './check-rooms.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A repository of these files, each beside the files that its relative imports name. */
function makeRepository(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'rooms-'));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

async function rulesBrokenBy(files: Record<string, string>): Promise<string[]> {
  const top = [...new Set(Object.keys(files).map((file) => file.split('/')[0] as string))];
  const { violations } = await checkRooms(makeRepository(files), top);
  return violations.map((violation) => violation.split('\n')[1]?.trim().split(':')[0] as string).sort();
}

const something = 'export const something = 1;\n';
const importing = (path: string): string => `import { something } from '${path}';\nexport const copy = something;\n`;

it.each([
  [
    'no-cycles',
    'packages/domain/src/a.ts',
    './b.ts',
    'packages/domain/src/b.ts',
    "export * from './a.ts';\nexport const something = 1;\n",
  ],
  ['contracts-stand-alone', 'packages/contracts/src/a.ts', '../../domain/src/b.ts', 'packages/domain/src/b.ts'],
  ['domain-knows-contracts-only', 'packages/domain/src/a.ts', '../../database/src/b.ts', 'packages/database/src/b.ts'],
  ['adapters-do-not-meet', 'packages/database/src/a.ts', '../../tokens/src/b.ts', 'packages/tokens/src/b.ts'],
  ['packages-do-not-know-apps', 'packages/runtime/src/a.ts', '../../../apps/api/src/b.ts', 'apps/api/src/b.ts'],
  ['apps-do-not-meet', 'apps/gateway/src/a.ts', '../../api/src/b.ts', 'apps/api/src/b.ts'],
  [
    'routes-call-services',
    'apps/api/src/routes/a.ts',
    '../../../../packages/database/src/b.ts',
    'packages/database/src/b.ts',
  ],
  [
    'rooms-meet-through-services',
    'packages/domain/src/runs/a.ts',
    '../tasks/task-store.ts',
    'packages/domain/src/tasks/task-store.ts',
  ],
  ['testing-from-tests-only', 'apps/api/src/a.ts', '../../../packages/testing/src/b.ts', 'packages/testing/src/b.ts'],
])('refuses what %s forbids', async (rule, from, path, to, text = something) => {
  expect(await rulesBrokenBy({ [from]: importing(path), [to]: text })).toEqual([rule]);
});

it('refuses files, sockets and processes in the domain, and imports that lead nowhere', async () => {
  expect(await rulesBrokenBy({ 'packages/domain/src/a.ts': "import 'node:fs';\nimport './nothing.ts';\n" })).toEqual([
    'domain-does-no-io',
    'everything-resolves',
  ]);
});

it('lets tests use the test package, and every layer the one below it', async () => {
  expect(
    await rulesBrokenBy({
      'apps/api/src/a.test.ts': importing('../../../packages/testing/src/b.ts'),
      'apps/api/src/a.ts': importing('../../../packages/database/src/b.ts'),
      'packages/database/src/b.ts': `${importing('../../domain/src/b.ts')}${something}`,
      'packages/domain/src/b.ts': `${importing('../../contracts/src/b.ts')}${something}`,
      'packages/contracts/src/b.ts': something,
      'packages/testing/src/b.ts': something,
    }),
  ).toEqual([]);
});

it('names the files that the checker did not look at', async () => {
  const root = makeRepository({ 'apps/api/src/a.ts': something, 'apps/api/src/b.ts': something });
  expect(await checkRooms(root, ['apps'])).toEqual({ violations: [], unseen: [], fileCount: 2 });
  const blind = await checkRooms(root, ['apps'], { exclude: { path: 'b\\.ts$' } });
  expect(blind.unseen).toEqual(['apps/api/src/b.ts']);
});
