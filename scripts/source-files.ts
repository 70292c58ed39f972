import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '..');

/** The folders whose code the checks look at. */
export const sourceFolders = ['apps', 'packages', 'prisma', 'scripts', 'tests', 'bench', 'examples'] as const;

const ignored = new Set(['node_modules', 'dist', 'generated', '.turbo', '.cache']);

/** Every source file below `root` that a person wrote, as sorted paths relative to it. */
export function listSourceFiles(root = repository, folders: readonly string[] = sourceFolders): string[] {
  const files: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !ignored.has(entry.name)) visit(path);
      else if (entry.isFile() && /\.(ts|tsx|mts|mjs|cjs)$/.test(entry.name)) files.push(relative(root, path));
    }
  };
  for (const folder of folders) visit(join(root, folder));
  return files.sort();
}
