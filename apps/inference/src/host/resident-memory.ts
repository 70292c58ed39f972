import { readFile } from 'node:fs/promises';

/** The page size of the systems we run on; /proc counts in pages. */
const pageBytes = 4096;

/** Bytes of memory that a process holds, by /proc; 0 when it has ended or the system has no /proc. */
export async function readResidentBytes(pid: number): Promise<number> {
  try {
    const fields = (await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ');
    return Number(fields[1]) * pageBytes;
  } catch {
    return 0;
  }
}
