import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  /** Arguments, separated by spaces. */
  readonly command: string;
}

/** All living descendants of a process, from /proc. */
export function descendants(pid: number): ProcessEntry[] {
  const all = listProcesses();
  const found: ProcessEntry[] = [];
  const parents = new Set([pid]);
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    for (const entry of all) {
      if (parents.has(entry.parentPid) && !parents.has(entry.pid)) {
        parents.add(entry.pid);
        found.push(entry);
      }
    }
  }
  return found;
}

export function processesOf(launcherPid: number, pattern: RegExp): ProcessEntry[] {
  return descendants(launcherPid).filter((entry) => pattern.test(entry.command));
}

export const podCommand = /(inference\/(dist|src)\/pod\/main\.(js|ts))|^pademelon pod/;
export const inferenceHostCommand = /inference\/(dist|src)\/main\.(js|ts)/;
export const workerCommand = /apps\/worker\/(dist|src)\/main\.(js|ts)/;
export const apiCommand = /apps\/api\/(dist|src)\/main\.(js|ts)/;

export function isAlive(pid: number): boolean {
  return listProcesses().some((entry) => entry.pid === pid);
}

/**
 * Bytes of memory that are the process's, shared pages divided among those who share them (Linux' Pss): of several
 * processes of one program, the sum counts each page once, as what they take from the machine.
 */
export function proportionalBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/** Resident memory in bytes, 0 for a process that has ended. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`));
  return line === null ? 0 : Number(line[1]) * 1024;
}

function listProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readProc(`${name}/stat`);
      // The command's own name, in brackets, may hold spaces and brackets.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === undefined || state === 'Z') return [];
      const command = readProc(`${name}/cmdline`).replaceAll('\0', ' ').trim();
      return [{ pid: Number(name), parentPid: Number(parent), command }];
    });
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
