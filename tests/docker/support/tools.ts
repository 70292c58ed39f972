import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { whyNoBareDebian } from '../../fresh-machine/bare-debian.ts';

export const repository = resolve(import.meta.dirname, '../../..');

export function hasCommand(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Why containers cannot be run here, or undefined when they can. */
export function whyNoContainers(): string | undefined {
  const obstacle = whyNoBareDebian();
  if (obstacle !== undefined) return obstacle;
  if (!hasCommand('runc', '--version')) return 'runc is not installed';
  return hasCommand('redis-server', '--version') ? undefined : 'redis-server is not installed';
}

/** The program of Docker Compose on this machine, the plugin before its predecessor; undefined without one. */
export function findCompose(): readonly [string, ...string[]] | undefined {
  if (hasCommand('docker', 'compose', 'version')) return ['docker', 'compose'];
  return hasCommand('docker-compose', 'version') ? ['docker-compose'] : undefined;
}
