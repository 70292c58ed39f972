import { readFileSync } from 'node:fs';

/** Linux tells CPU time in hundredths of a second, whatever its clock. */
const tickMs = 10;

/** User and system time that a process has used so far, in milliseconds. */
export function usedCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's own name, in brackets, may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
