import { platform } from 'node:os';
import { expect, test } from 'vitest';
import { countFiles } from './process-tree.ts';

test.skipIf(platform() !== 'linux')("the machine's own files are not those of a jail that is still being made", () => {
  expect(countFiles(process.pid, '/')).toBe(0);
});
