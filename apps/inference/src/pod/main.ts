import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostToPod, PodSpec, PodToHost } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { type Pod, startPod } from './pod.ts';

/*
 * The process of one pod, started by an inference host. It takes its orders over IPC, has no settings and no
 * credentials of its own, and does not outlive its host.
 */

const aliveIntervalMs = 1_000;
/** As source or as bundle, whichever this module is. */
const challengerEntry = fileURLToPath(
  new URL(`./challengers/challenger-main${extname(import.meta.url)}`, import.meta.url),
);
let pod: Pod | null = null;
let isDraining = false;

function send(message: PodToHost, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, () => onSent?.());
}

/** One JSON line on standard error, which the host's log takes up. */
function reportFault(error: unknown): void {
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(
    `${JSON.stringify({ level: 50, time: Date.now(), name: 'pod', msg: 'request failed', stack })}\n`,
  );
}

function reportTrouble(sentence: string): void {
  process.stderr.write(`${JSON.stringify({ level: 40, time: Date.now(), name: 'pod', msg: sentence })}\n`);
}

function reportScriptLine(model: string, line: string): void {
  process.stderr.write(`${JSON.stringify({ level: 30, time: Date.now(), name: 'pod', model, msg: line })}\n`);
}

async function load(spec: PodSpec): Promise<void> {
  const startedAt = performance.now();
  process.title = `pademelon pod ${spec.pipelineName}`;
  try {
    pod = await startPod(spec, {
      onFault: reportFault,
      onTrouble: reportTrouble,
      onScriptLine: reportScriptLine,
      challengerEntry,
    });
  } catch (error) {
    if (!(error instanceof DomainError)) reportFault(error);
    const reason = error instanceof DomainError ? error.message : 'The pod could not be started; its log says why.';
    send({ type: 'failed', reason }, () => process.exit(1));
    return;
  }
  const { port } = pod;
  send({ type: 'ready', port, loadMs: Math.round(performance.now() - startedAt) });
  setInterval(() => pod && send({ type: 'alive', ...pod.counts }), aliveIntervalMs);
  if (isDraining) await drain();
}

async function drain(): Promise<void> {
  isDraining = true;
  if (pod === null) return;
  await pod.drain();
  send({ type: 'alive', ...pod.counts }, () => process.exit(0));
}

process.on('message', (message: HostToPod) => {
  if (message.type === 'load') void load(message.spec);
  else void drain();
});
// Not by process.exit, which can hang: see runProcess.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Whoever ends a pod must not fail its callers: the host puts another one in its place first.
process.on('SIGTERM', () => send({ type: 'leaving' }));
// A terminal's Ctrl-C reaches the whole process group; only the host decides when a pod ends.
process.on('SIGINT', () => undefined);
