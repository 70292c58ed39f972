import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodSpec } from '@pademelon/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PodEnd, PodProcess } from './pod-process.ts';

/** Says one thing at a moment of the clock, and ends with that. */
const podScript = `
  process.on('message', ({ spec: { words, atMs } }) => {
    setTimeout(() => process.send(words, () => process.exit(1)), atMs - Date.now());
  });
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pod-process-'));
  writeFileSync(join(folder, 'pod.mjs'), podScript);
});
afterAll(() => rmSync(folder, { recursive: true }));

function blockUntil(momentMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, momentMs - Date.now()));
}

function start(words: object, atMs: number, onLeaving?: () => void): Promise<PodEnd> {
  return new Promise((resolve) => void startProcess({ words, atMs, onLeaving, onEnd: resolve }));
}

interface Start {
  readonly words: object;
  readonly atMs: number;
  readonly onLeaving?: (() => void) | undefined;
  readonly onEnd: (end: PodEnd) => void;
}

function startProcess({ words, atMs, onLeaving = () => undefined, onEnd }: Start): PodProcess {
  return new PodProcess({
    entry: join(folder, 'pod.mjs'),
    execArgv: [],
    spec: { words, atMs, limits: { runDeadlineMs: 30_000 } } as unknown as PodSpec,
    memoryBytes: null,
    loadDeadlineMs: 30_000,
    onReady: () => undefined,
    onLeaving,
    onEnd,
  });
}

it('is ended before others when the machine has no memory left', async () => {
  const ended = new Promise<PodEnd>((onEnd) => {
    const pod = startProcess({ words: { type: 'leaving' }, atMs: Date.now() + 500, onEnd });
    expect(readFileSync(`/proc/${pod.pid}/oom_score_adj`, 'utf8')).toBe('500\n');
  });
  await ended;
});

it('reads the last words of a pod whose end it is told first', async () => {
  // Both processes are up by then. While the news of one end is on its way, another pod speaks and ends: the system
  // tells of both ends at once, and of the words after that.
  const beginMs = Date.now() + 2_000;
  const first = start({ type: 'leaving' }, beginMs, () => blockUntil(beginMs + 1_000));
  const second = start({ type: 'failed', reason: 'The model is no model.' }, beginMs + 600);
  setTimeout(() => blockUntil(beginMs + 300), beginMs - Date.now() - 200);
  expect(await first).toMatchObject({ kind: 'crashed' });
  expect(await second).toEqual({ kind: 'refused', reason: 'The model is no model.' });
});
