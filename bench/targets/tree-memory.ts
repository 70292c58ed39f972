import { descendants, residentBytes } from '../../scripts/process-tree.ts';

/** Resident memory of a process and all that it has started, leaving out commands that match `without`. */
export function treeMemoryBytes(pid: number, without?: RegExp): number {
  const children = descendants(pid).filter(({ command }) => without === undefined || !without.test(command));
  return [pid, ...children.map((entry) => entry.pid)].reduce((total, each) => total + residentBytes(each), 0);
}
