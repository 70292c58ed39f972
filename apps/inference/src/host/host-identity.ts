import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '@pademelon/runtime/is-process-alive';

interface StoredIdentity {
  readonly id: string;
  readonly pid: number;
}

/**
 * This host's id, kept in a file per machine name, so that a host that is started again after a crash takes its own
 * place at once instead of waiting until it is taken for dead. A second host of the same folder on the same machine
 * gets an id of its own, which lasts as long as its process.
 */
export function claimHostId(folder: string, pid = process.pid): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `inference-host-${hostname()}.json`);
  const stored = readStored(file);
  if (stored !== null && stored.pid !== pid && isProcessAlive(stored.pid)) return randomUUID();
  const id = stored?.id ?? randomUUID();
  const fresh = `${file}.${pid}`;
  writeFileSync(fresh, JSON.stringify({ id, pid } satisfies StoredIdentity));
  renameSync(fresh, file);
  return id;
}

function readStored(file: string): StoredIdentity | null {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Partial<StoredIdentity>;
    return typeof stored.id === 'string' && typeof stored.pid === 'number' ? (stored as StoredIdentity) : null;
  } catch {
    return null;
  }
}
