import { accessSync, constants, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isProcessAlive } from '@pademelon/runtime/is-process-alive';

/**
 * Linux counts threads as tasks, too, and a numeric library starts one for every core. The watch of the supervisor ends a
 * run that has too many processes, with the reason; the ceiling is for a bomb that makes them faster than anybody can
 * look.
 */
export function taskCeilingFor(processes: number): number {
  return 4 * processes;
}

/** A group of processes of which the kernel refuses to let there be more than a number. */
export interface TaskCeiling {
  /** The command under the ceiling from its first instruction on. */
  readonly wrap: (command: string, args: readonly string[]) => { command: string; args: readonly string[] };
  /** Call when all of them have ended. */
  readonly remove: () => void;
}

const prefix = 'pademelon-run-';

/**
 * The ceiling of one run by a control group, where this process may make one. That is so for root, whom the kernel
 * exempts from the limit by which jail-init.py does the same for everybody else. Null where it may not.
 */
export function openTaskCeiling(tasks: number, roots = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup']): TaskCeiling | null {
  for (const root of roots) {
    const folder = join(root, `${prefix}${process.pid}`);
    try {
      mkdirSync(folder);
      // Absent where the folder is no control group that counts tasks.
      accessSync(join(folder, 'pids.max'), constants.W_OK);
      writeFileSync(join(folder, 'pids.max'), String(tasks));
      sweep(root);
      return {
        wrap: (command, args) => ({
          command: '/bin/sh',
          args: ['-c', 'echo $$ >"$0"; exec "$@"', join(folder, 'cgroup.procs'), command, ...args],
        }),
        remove: () => removeIfEmpty(folder),
      };
    } catch {
      removeIfEmpty(folder);
    }
  }
  return null;
}

/** Removes the groups of supervisors that were killed before they could. */
function sweep(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = Number(name.slice(prefix.length));
    if (name.startsWith(prefix) && !isProcessAlive(pid)) removeIfEmpty(join(root, name));
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not there, or not empty yet: a later sweep finds it.
  }
}
