import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodModel } from '@pademelon/contracts';
import { waitUntil } from '@pademelon/testing';
import { afterEach, expect, it } from 'vitest';
import { type ChallengerOptions, ChallengerProcess } from './challenger-process.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

const model: PodModel = {
  name: 'm',
  version: 'v',
  sha: 's',
  versionId: 1,
  path: '/nowhere',
  tensorFields: null,
  dynamicBatching: null,
};

/** A challenger whose process does what `program` says with each message. */
async function setup(program: string, changes: Partial<ChallengerOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-challenger-'));
  releases.push(() => rmSync(folder, { recursive: true }));
  const entry = join(folder, 'challenger.mjs');
  writeFileSync(entry, `process.on('message', (message) => { ${program} });`);
  const troubles: string[] = [];
  const challenger = new ChallengerProcess({
    model,
    entry,
    threads: 1,
    inputNames: [],
    loadWaitMs: 10_000,
    budgetMs: 10_000,
    pauseMs: 1_000,
    maxPauseMs: 60_000,
    runDeadlineMs: 60_000,
    memoryBytes: null,
    onTrouble: (sentence) => troubles.push(sentence),
    ...changes,
  });
  releases.push(() => challenger.stop());
  await challenger.ready();
  return { challenger, troubles };
}

const silent = `if (message.type === 'load') process.send({ type: 'ready' });`;
const echo = `${silent} else process.send({ type: 'outputs', id: message.id, columns: message.columns });`;

function rowsOf(values: number) {
  const columns = [
    { name: 'x', type: 'float32', rowShape: [values], values: new Float32Array(values).fill(0.5) },
  ] as const;
  return { rowCount: 1, isChained: false, columns };
}

/** Whether a result is there without waiting for another process. */
async function isRefused(outputs: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol('waiting');
  return (await Promise.race([outputs, Promise.resolve(waiting)])) === null;
}

it('gives back what the process answers, typed as it was sent', async () => {
  const { challenger } = await setup(echo);
  const [column] = (await challenger.run(rowsOf(3)))!;
  expect(column).toEqual({ name: 'x', type: 'float32', rowShape: [3], values: Float32Array.of(0.5, 0.5, 0.5) });
});

it('is not given more requests than it may owe', async () => {
  const { challenger } = await setup(silent);
  const given = Array.from({ length: 64 }, () => challenger.run(rowsOf(1)));
  expect(await isRefused(given.at(-1)!)).toBe(false);
  expect(await isRefused(challenger.run(rowsOf(1)))).toBe(true);
});

it('is not given more bytes than it may owe, but any one request', async () => {
  const { challenger } = await setup(silent);
  expect(await isRefused(challenger.run(rowsOf(9_000_000)))).toBe(false);
  expect(await isRefused(challenger.run(rowsOf(1)))).toBe(true);
});

it('is given requests again when it has answered', async () => {
  const { challenger } = await setup(echo);
  for (let round = 0; round < 3; round += 1) expect(await challenger.run(rowsOf(9_000_000))).not.toBeNull();
});

it('gets no more requests while it is late with one', async () => {
  const { challenger, troubles } = await setup(silent, { budgetMs: 20, pauseMs: 0 });
  expect(await challenger.run(rowsOf(1))).toBeNull();
  expect(await isRefused(challenger.run(rowsOf(1)))).toBe(true);
  expect(troubles).toEqual(['The challenger "m" gave no result within 20 ms; it is not asked for a while.']);
});

it('gives no results when its process ends, and is started again', async () => {
  const mortal = `if (message.columns?.[0].rowShape[0] === 2) process.exit(3); ${echo}`;
  const { challenger, troubles } = await setup(mortal);
  expect(await challenger.run(rowsOf(2))).toBeNull();
  expect(troubles).toEqual(['The challenger "m" ended with status 3; it is started again in 500 ms.']);
  expect(await isRefused(challenger.run(rowsOf(1)))).toBe(true);
  await waitUntil('it serves again', async () => (await challenger.run(rowsOf(1))) !== null);
});

it('is not waited for longer than it may take to load', async () => {
  const { challenger } = await setup('', { loadWaitMs: 50 });
  expect(await isRefused(challenger.run(rowsOf(1)))).toBe(true);
});

it('that ends while it loads leaves the pod to serve without it', async () => {
  const { challenger } = await setup('process.exit(1);');
  expect(await isRefused(challenger.run(rowsOf(1)))).toBe(true);
});

it('that refuses its model says why', async () => {
  const refusing = `process.send({ type: 'refused', reason: 'The model is no model.' });`;
  await expect(setup(refusing)).rejects.toThrow('The model is no model.');
});
