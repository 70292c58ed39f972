import { type ArchiveEntry, invalidArchive } from './archive-entry.ts';

export interface OrchestrationLayout {
  /** Path of the main.py to run. Its folder is the working directory. */
  readonly entryPoint: string;
  /** Path of the requirements.txt, or null. */
  readonly requirements: string | null;
}

/**
 * Finds what to run, by the rules that the SDK documents: main.py at the root, else the first main.py below it (in the
 * order of the zip); at most one requirements.txt anywhere.
 */
export function findOrchestrationLayout(entries: readonly ArchiveEntry[]): OrchestrationLayout {
  const named = (name: string): string[] =>
    entries.map((entry) => entry.path).filter((path) => path === name || path.endsWith(`/${name}`));
  const mains = named('main.py');
  const entryPoint = mains.find((path) => path === 'main.py') ?? mains[0];
  if (entryPoint === undefined) throw invalidArchive('it has no main.py');
  const requirements = named('requirements.txt');
  if (requirements.length > 1) {
    throw invalidArchive(`it has ${requirements.length} files named requirements.txt; at most one can be followed`);
  }
  return { entryPoint, requirements: requirements[0] ?? null };
}
