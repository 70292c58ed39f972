import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DomainError } from '@pademelon/domain/domain-error';
import { ModelRegistry } from '../model-registry.ts';
import { type ModelRun, modelRun } from '../pipeline-steps/model-run.ts';
import type { ChallengerToPod, PodToChallenger } from './challenger-protocol.ts';

/*
 * The process of one challenger: a model that runs beside the one that answers. Whatever becomes of it, the pod goes on.
 * Its argument is the pod's process id.
 */

let model: ModelRun | null = null;

function send(message: ChallengerToPod, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, () => onSent?.());
}

function load({ model: file, threads, inputNames }: Extract<PodToChallenger, { type: 'load' }>): void {
  process.title = `pademelon challenger ${file.name}`;
  try {
    model = modelRun(file, ModelRegistry.load([file], threads), inputNames);
    send({ type: 'ready' });
  } catch (error) {
    send({ type: 'refused', reason: reasonOf(error) }, () => process.exit(1));
  }
}

function run({ id, rowCount, isChained, columns }: Extract<PodToChallenger, { type: 'run' }>): void {
  try {
    send({ type: 'outputs', id, columns: model!.outputs({ rowCount, columns, isChained }) });
  } catch (error) {
    send({ type: 'failed', id, reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof DomainError ? error.message : `The challenger failed: ${String(error)}`;
}

const podPid = Number(process.argv[2]);
new Worker(new URL(`./parent-watch${extname(import.meta.url)}`, import.meta.url), { workerData: podPid }).unref();
process.on('message', (message: PodToChallenger) => {
  if (message.type === 'load') load(message);
  else run(message);
});
// Not by process.exit, which can hang: see runProcess.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal's Ctrl-C reaches the whole process group; only the pod decides when a challenger ends.
process.on('SIGINT', () => undefined);
