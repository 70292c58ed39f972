import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodSpec, PodToHost } from '@pademelon/contracts';
import type { InferenceLogSink, LogBatch } from '@pademelon/domain';
import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import { arrowBatchDecoder, startLogCollector } from '@pademelon/inference-log';
import { waitUntil } from '@pademelon/testing';
import { identityModel, roundsModel, sumModel, writeOnnxModel } from '@pademelon/testing/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { placeModels, recordsType, sdkQuery, type TestModel, testLimits } from '../pod-bench.ts';

const releases: (() => unknown)[] = [];
const seenPids = new Set<number>();
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
  const pids = [...seenPids];
  seenPids.clear();
  await waitUntil('no challenger outlives its pod', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
});

const champion = { name: 'champion', file: sumModel(1) };
const rounds = { name: 'rounds', file: roundsModel() };
/** Refuses every value but 0 and 1. */
const picky = {
  name: 'picky',
  file: writeOnnxModel({
    graph: {
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['place'], attributes: [{ name: 'to', int: 7 }] },
        { op: 'Gather', inputs: ['table', 'place'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', shape: ['N', 1] }],
      outputs: [{ name: 'y', shape: ['N', 1] }],
      initializers: [{ name: 'table', type: 'float32', dims: [2], raw: Buffer.alloc(8) }],
    },
  }),
};
/** More rounds than any machine runs in the time of a test. */
const endless = 2e18;

type Define = (models: readonly ModelReference[]) => readonly unknown[];
const shadow: Define = (models) => [
  { ModelInference: { models } },
  { AuditResults: { from: 1, to: null } },
  { MultiOut: {} },
];
const audited: Define = (models) => [
  { ModelInference: { models } },
  { AuditResults: { from: 1, to: null } },
  { Nth: { index: 0 } },
];

/** A real pod process whose log a real collector keeps in memory. */
async function startPodProcess(models: readonly TestModel[], define: Define, changes: Partial<PodSpec> = {}) {
  const placed = placeModels(models);
  releases.push(placed.remove);
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-log-'));
  releases.push(() => rmSync(folder, { recursive: true, force: true }));
  const batches: LogBatch[] = [];
  const sink: InferenceLogSink = {
    writeBatch: async ({ bytes }) => void batches.push(await arrowBatchDecoder.decode(bytes)),
    writeDrops: async () => undefined,
  };
  const logSocketPath = join(folder, 'log.sock');
  const collector = await startLogCollector({ socketPath: logSocketPath, sink, quietMs: 5 });
  releases.push(() => collector.stop(100));
  const child = fork(join(import.meta.dirname, '../main.ts'), {
    execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
    env: {},
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  releases.push(() => child.kill('SIGKILL'));
  let troubles = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    troubles += text;
  });
  const steps = define(placed.models.map(({ name, version, sha }) => ({ name, version, sha })));
  const spec: PodSpec = {
    podId: 'pod-1',
    deploymentId: 1,
    deploymentName: 'd-1',
    workspaceId: 1,
    pipelineId: 1,
    pipelineName: 'pipe',
    pipelineVersion: 'version-1',
    steps,
    models: placed.models,
    threads: 1,
    memoryBytes: null,
    bindAddress: '127.0.0.1',
    key: 'the pod key',
    logSocketPath,
    limits: testLimits,
    ...changes,
  };
  child.send({ type: 'load', spec });
  return { child, collector, batches, troubles: () => troubles };
}

/** The same, once it is ready. `infer` answers records, whatever the target asks for. */
async function setup(...parts: Parameters<typeof startPodProcess>) {
  const started = await startPodProcess(...parts);
  let port = 0;
  for (const end = performance.now() + 25_000; port === 0 && performance.now() < end; ) {
    const [message] = (await once(started.child, 'message')) as [PodToHost];
    if (message.type === 'failed') throw new Error(message.reason);
    if (message.type === 'ready') port = message.port;
  }
  for (const pid of childrenOf(started.child.pid!)) seenPids.add(pid);
  const infer = async (body: unknown, { target = sdkQuery, contentType = recordsType } = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
      method: 'POST',
      headers: { 'x-pademelon-key': 'the pod key', 'content-type': contentType },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as Record<string, unknown>[];
  };
  const challengerPids = (): number[] => childrenOf(started.child.pid!);
  const logged = (count: number) =>
    waitUntil(`${count} rows are logged`, () => {
      const rows = started.batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
      return rows >= count && started.batches;
    });
  return { ...started, infer, challengerPids, logged };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

const columnsOf = (batch: LogBatch) => batch.columns.map(({ name }) => name);
/** The whole answer with its metadata. */
const withMetadata = { target: '/infer?dataset[]=*&dataset[]=metadata&dataset.separator=.' };

describe('challengers in the answer', () => {
  it('stand behind the champion, in answers of each form and in the log', async () => {
    const same = { name: 'same', file: identityModel('float32', ['N', 1]) };
    const { infer, logged } = await setup([champion, same, rounds], shadow);
    const [row] = await infer([{ tensor: [3] }]);
    expect(Object.entries(row!).slice(1)).toEqual([
      ['in.tensor', [3]],
      ['out.y', [3]],
      ['anomaly.count', 0],
      ['out_same.y', [3]],
      ['out_rounds.y', [3]],
    ]);
    const [nested] = await infer([{ tensor: [3] }], { target: '/infer' });
    expect(nested).toMatchObject({ out: { y: [3] }, out_same: { y: [3] }, out_rounds: { y: [3] } });
    const [classic] = await infer({ tensor: [[3]] }, { target: '/infer', contentType: 'application/json' });
    expect(classic).toMatchObject({
      model_name: 'champion',
      shadow_data: {
        same: [{ Float: { v: 1, dim: [1, 1], data: [3] } }],
        rounds: [{ Float: { v: 1, dim: [1, 1], data: [3] } }],
      },
    });
    const [batch] = await logged(3);
    expect(columnsOf(batch!)).toEqual(['in.tensor', 'out.y', 'out_same.y', 'out_rounds.y']);
    expect(batch!.facts).toMatchObject({ lastModel: { name: 'champion' }, dropped: [] });
  });

  it('get the column that reaches the champion, whatever their own inputs are called', async () => {
    const other = writeOnnxModel({
      graph: {
        nodes: [{ op: 'Neg', inputs: ['elsewhere'], outputs: ['y'] }],
        inputs: [{ name: 'elsewhere', shape: ['N', 1] }],
        outputs: [{ name: 'y', shape: ['N', 1] }],
      },
    });
    const { infer } = await setup([champion, { name: 'other', file: other }], shadow);
    const [row] = await infer([{ index: 'a', x: [3] }]);
    expect(row).toMatchObject({ 'out.y': [3], 'out_other.y': [-3] });
  });

  it('are told apart when two of them have one name', async () => {
    const { infer } = await setup([champion, rounds, rounds], shadow);
    const [row] = await infer([{ tensor: [3] }]);
    expect(row).toMatchObject({ 'out_rounds.y': [3], 'out_rounds_2.y': [3] });
  });

  it('that fail are left out and named, and asked again with the next rows', async () => {
    const { infer, logged, troubles } = await setup([champion, picky, rounds], shadow);
    const [row] = await infer([{ tensor: [7] }], withMetadata);
    expect(row).toMatchObject({ 'out.y': [7], 'out_rounds.y': [7], 'metadata.dropped': ['out_picky'] });
    expect(row).not.toHaveProperty(['out_picky.y']);
    expect((await infer([{ tensor: [1] }]))[0]).toMatchObject({ 'out.y': [1], 'out_picky.y': [0] });
    const batches = await logged(2);
    expect(batches.map((batch) => [columnsOf(batch), batch.facts.dropped])).toEqual([
      [['in.tensor', 'out.y', 'out_rounds.y'], ['out_picky']],
      [['in.tensor', 'out.y', 'out_picky.y', 'out_rounds.y'], []],
    ]);
    expect(troubles()).toContain('Model \\"picky\\" failed on this input');
  });

  it('that never end cost one answer its patience, not the next ones, and serve again once they were ended', async () => {
    const { infer, challengerPids, troubles } = await setup([champion, rounds], shadow, {
      limits: { ...testLimits, runDeadlineMs: 2_000 },
    });
    const [before] = challengerPids();
    const startedAt = performance.now();
    const [row] = await infer([{ tensor: [endless] }], withMetadata);
    expect(row).toMatchObject({ 'out.y': [endless], 'metadata.dropped': ['out_rounds'] });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    const nextAt = performance.now();
    for (let request = 0; request < 5; request += 1) expect((await infer([{ tensor: [2] }]))[0]!['out.y']).toEqual([2]);
    expect(performance.now() - nextAt).toBeLessThan(450);
    await waitUntil('the challenger answers again', async () => 'out_rounds.y' in (await infer([{ tensor: [2] }]))[0]!);
    expect(challengerPids()).not.toContain(before);
    expect(troubles()).toContain('ran longer than the 2 s');
  });

  it('that are slow are left out of answers before these become slow, and are logged all the same', async () => {
    const { infer, logged } = await setup([champion, rounds], shadow);
    let rows = 0;
    const ask = async (tensor: number) => {
      const startedAt = performance.now();
      const [row] = await infer([{ tensor: [tensor] }], withMetadata);
      const tookMs = performance.now() - startedAt;
      rows += 1;
      await logged(rows);
      return { tookMs, dropped: row!['metadata.dropped'] as string[] };
    };
    let count = 1_000;
    while ((await ask(count)).tookMs < 100) count *= 2;
    await waitUntil('an answer is there without it', async () => (await ask(count)).dropped.includes('out_rounds'));
    const batches = await logged(rows);
    expect(batches.filter((batch) => !columnsOf(batch).includes('out_rounds.y'))).toEqual([]);
  });

  it('that are killed do not touch the champion, and are started again', async () => {
    const { infer, challengerPids } = await setup([champion, rounds], shadow);
    const [pid] = challengerPids();
    process.kill(pid!, 'SIGKILL');
    expect((await infer([{ tensor: [2] }]))[0]!['out.y']).toEqual([2]);
    await waitUntil('the challenger answers again', async () => 'out_rounds.y' in (await infer([{ tensor: [2] }]))[0]!);
  });

  it('that use more memory than the deployment may are ended, and the champion serves on', async () => {
    const { infer, troubles } = await setup([champion, rounds], shadow, { memoryBytes: 1_000_000 });
    await waitUntil('the challenger was ended', () => troubles().includes('used more memory'));
    expect((await infer([{ tensor: [2] }]))[0]!['out.y']).toEqual([2]);
  });
});

describe('challengers that are only audited', () => {
  it('are in the log and not in the answer', async () => {
    const { infer, logged } = await setup([champion, rounds], audited);
    expect(Object.keys((await infer([{ tensor: [3] }]))[0]!)).toEqual(['time', 'in.tensor', 'out.y', 'anomaly.count']);
    const [batch] = await logged(1);
    expect(columnsOf(batch!)).toEqual(['in.tensor', 'out.y', 'out_rounds.y']);
  });

  it('do not hold the answer up, however slow they are', async () => {
    const { infer, logged } = await setup([champion, rounds], audited);
    const startedAt = performance.now();
    expect((await infer([{ tensor: [endless] }]))[0]!['out.y']).toEqual([endless]);
    const elapsedMs = performance.now() - startedAt;
    const [batch] = await logged(1);
    expect(elapsedMs).toBeLessThan(450);
    expect(columnsOf(batch!)).toEqual(['in.tensor', 'out.y']);
    expect(batch!.facts.dropped).toEqual(['out_rounds']);
  });

  it('leave no record behind uncounted when the pod dies while it waits for them', async () => {
    const { infer, child, collector } = await setup([champion, rounds], audited);
    await infer([{ tensor: [endless] }]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await collector.podEnded({ podId: 'pod-1', pipelineId: 1 }, { records: 0, rows: 0 });
    expect(collector.stats().dropped.lost).toEqual({ records: 1, rows: 1 });
  });

  it('are waited for when the pod drains', async () => {
    const { infer, child, logged } = await setup([champion, rounds], audited);
    await infer([{ tensor: [endless] }]);
    child.send({ type: 'drain' });
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect((await logged(1))[0]!.facts.dropped).toEqual(['out_rounds']);
  });
});

it('a challenger in an endless run ends with its pod', async () => {
  const { infer, child, challengerPids } = await setup([champion, rounds], audited);
  const [pid] = challengerPids();
  await infer([{ tensor: [endless] }]);
  child.kill('SIGKILL');
  await waitUntil('its process is gone', () => !existsSync(`/proc/${pid}`));
});

it('a challenger whose pod is gone before its watch begins ends, too', async () => {
  // The process that starts it is not the one that it is told.
  const entry = join(import.meta.dirname, 'challenger-main.ts');
  const orphan = fork(entry, ['1'], { execArgv: ['--conditions=source'], env: {}, serialization: 'advanced' });
  releases.push(() => orphan.kill('SIGKILL'));
  expect(await once(orphan, 'exit')).toEqual([null, 'SIGKILL']);
});

it('a challenger that cannot be served at all fails the deployment, and says why', async () => {
  const wrong = { name: 'wrong', file: Buffer.from('no model') };
  const { child } = await startPodProcess([champion, wrong], shadow);
  const [message] = (await once(child, 'message')) as [PodToHost];
  expect(message).toMatchObject({ type: 'failed', reason: expect.stringMatching(/^Model "wrong" cannot be loaded: /) });
});
