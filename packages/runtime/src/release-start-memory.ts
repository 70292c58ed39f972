import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By then what the start left behind is settled, and nobody has come to depend on the process yet. */
const settleMs = 1_500;

/**
 * Gives the memory that starting took back to the system, once: 5 to 12 MB in each process, which V8 would keep until
 * there is pressure. Later garbage is V8's own business.
 */
export function releaseStartMemory(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: { type: string; flavor: string }) => void;
    setFlagsFromString('--no-expose-gc');
    collect({ type: 'major', flavor: 'last-resort' });
  }, settleMs).unref();
}
