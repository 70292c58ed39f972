import { readFile } from 'node:fs/promises';

/** What /proc counts CPU time in, on every Linux that Node runs on. */
const ticksPerSecond = 100;
/** Shorter spans say little in ticks of a hundredth of a second. */
const shortestSpanMs = 1_000;

/** How much CPU time a process uses, measured from one reading to the next. */
export class CpuMeter {
  #pid = 0;
  #ticks = 0;
  #readAtMs = 0;
  #cores: number | null = null;

  /** CPU time a second since the last reading; null at the first of a process, and where it cannot be read. */
  async read(pid: number): Promise<number | null> {
    const nowMs = performance.now();
    if (pid === this.#pid && nowMs - this.#readAtMs < shortestSpanMs) return this.#cores;
    const ticks = await readTicks(pid);
    const seconds = (nowMs - this.#readAtMs) / 1_000;
    this.#cores = pid === this.#pid && ticks !== null ? (ticks - this.#ticks) / ticksPerSecond / seconds : null;
    this.#pid = ticks === null ? 0 : pid;
    this.#ticks = ticks ?? 0;
    this.#readAtMs = nowMs;
    return this.#cores;
  }
}

/** CPU time of all threads of a process, user and system; null when it has ended or the system has no /proc. */
async function readTicks(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return null;
  }
}
