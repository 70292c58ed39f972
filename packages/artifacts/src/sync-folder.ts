import { open } from 'node:fs/promises';

/** Flushes a folder's entries, without which a rename may be undone by a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
