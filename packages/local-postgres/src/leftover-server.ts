import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Fast shutdown, then immediate shutdown, then the end, with how long each may take. */
const attempts = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 3_000 },
  { signal: 'SIGKILL', waitMs: 3_000 },
] as const;

/**
 * Ends the server that still runs on `data`, left behind by a launcher that was killed, and clears its pid file: the
 * pid in it may meanwhile belong to any process, which PostgreSQL would take for a server that is still running.
 *
 * The caller must hold whatever lock makes it the only one to start a server here.
 */
export async function endLeftoverServer(data: string): Promise<void> {
  for (const { signal, waitMs } of attempts) {
    const pids = serverProcesses(data);
    if (pids.length === 0) break;
    // Its backends end with the postmaster; those of a postmaster that is gone already take the signal themselves.
    for (const pid of postmasterOf(data, pids)) signalQuietly(pid, signal);
    for (let waited = 0; waited < waitMs && serverProcesses(data).length > 0; waited += 20) await delay(20);
  }
  const left = serverProcesses(data);
  if (left.length > 0)
    throw new Error(`PostgreSQL (process ${left.join(', ')}) still uses ${data} and cannot be ended.`);
  rmSync(join(data, 'postmaster.pid'), { force: true });
}

/** Every process of a server works in its data folder: a sign that, unlike a pid, nothing else can inherit. */
function serverProcesses(data: string): number[] {
  let folder: string;
  try {
    folder = realpathSync(data);
  } catch {
    return [];
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && worksIn(name, folder))
    .map(Number);
}

function worksIn(pid: string, folder: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== folder) return false;
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    // It ended meanwhile, or is another user's.
    return false;
  }
}

function postmasterOf(data: string, pids: readonly number[]): readonly number[] {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    if (pids.includes(pid)) return [pid];
  } catch {
    // No pid file: every process is told.
  }
  return pids;
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}
