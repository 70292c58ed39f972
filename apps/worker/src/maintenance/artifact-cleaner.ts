import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes folders (environments, unpacked code) that no run has used for `unusedMs`. `now` is the machine's clock. */
export async function removeUnused(folder: string, unusedMs: number, now: number): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await listNames(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs < unusedMs) continue;
    await rm(path, { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}

/** None where nothing has been made yet. */
async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
