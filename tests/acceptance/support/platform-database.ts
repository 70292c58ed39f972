import { readFileSync } from 'node:fs';
import { apiCommand, processesOf } from '../../../scripts/process-tree.ts';
import type { Platform } from './platform.ts';

/** The connection URL of the started product's own database, as its API was given it. */
export function platformDatabaseUrl({ pid }: Pick<Platform, 'pid'>): string {
  const [api] = processesOf(pid, apiCommand);
  if (api === undefined) throw new Error('The API of the platform is not running.');
  const setting = 'DATABASE_URL=';
  const environment = readFileSync(`/proc/${api.pid}/environ`, 'utf8').split('\0');
  const url = environment.find((line) => line.startsWith(setting))?.slice(setting.length);
  if (url === undefined) throw new Error('The API of the platform was given no DATABASE_URL.');
  return url;
}
