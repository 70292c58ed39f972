import { readdirSync, readFileSync } from 'node:fs';

/** One process, told apart from a later one with the same number by when it started (clock ticks since boot). */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly startedAt: string;
  readonly command: string;
}

function readProcess(pid: number): Process | undefined {
  try {
    // "pid (name) state parent …": the name may hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(fields[1]), startedAt: fields[19] as string, command };
  } catch {
    return undefined;
  }
}

/** The process and everything that descends from it now. */
export function processTree(root: number): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((process) => process !== undefined);
  const tree = all.filter((process) => process.pid === root);
  for (const process of tree) tree.push(...all.filter((other) => other.parent === process.pid));
  return tree;
}

export function isAlive(process: Process): boolean {
  return readProcess(process.pid)?.startedAt === process.startedAt;
}

/** Of these processes, those that still run, for an expectation whose failure names them. */
export function survivors(processes: readonly Process[]): string[] {
  return processes.filter(isAlive).map((process) => `${process.pid} ${process.command}`);
}

/** The memory of a process in megabytes: `resident` counts the pages that it shares with others in full. */
export function memoryOf(pid: number): { resident: number; proportional: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { resident: read('Rss'), proportional: read('Pss') };
}
