import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFolder } from './repository.ts';

export interface SecondHost {
  readonly process: ChildProcess;
  output(): string;
}

/**
 * An inference host as another machine would run it: the settings of the first, a folder of its own for model files.
 * Resolves once it takes pods.
 */
export async function startSecondHost(firstHostPid: number): Promise<SecondHost> {
  const artifactFolder = mkdtempSync(join(tmpdir(), 'pademelon-second-host-'));
  const variables = readFileSync(`/proc/${firstHostPid}/environ`, 'utf8').split('\0').filter(Boolean);
  // The channel to the launcher is the first host's own.
  const settings = variables.filter((line) => !line.startsWith('NODE_CHANNEL_'));
  const host = spawn(process.execPath, ['apps/inference/dist/main.js'], {
    cwd: repositoryFolder,
    env: {
      ...Object.fromEntries(settings.map((line) => line.split(/=(.*)/s).slice(0, 2))),
      PADEMELON_ARTIFACTS: artifactFolder,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [host.stdout, host.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-8_000);
    });
  }
  host.once('exit', () => rmSync(artifactFolder, { recursive: true, force: true, maxRetries: 10 }));
  const ended = once(host, 'exit').then(() => Promise.reject(new Error(`The second host ended:\n${output}`)));
  await Promise.race([once(host, 'message'), ended]);
  ended.catch(() => undefined);
  return { process: host, output: () => output };
}
