import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { PodModel, PodSpec, PodToHost } from '@pademelon/contracts';
import { waitUntil } from '@pademelon/testing';
import { roundsModel, sumModel } from '@pademelon/testing/onnx';
import type { Environment, SandboxStatus } from '@pademelon/workbench';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { placeModels, recordsType, sdkQuery, testLimits, versionOf } from '../pod-bench.ts';
import { findEnvironment, findSandbox, placeScript } from './script-test-bench.ts';

let environment: Environment;
let sandbox: SandboxStatus;
const releases: (() => unknown)[] = [];
beforeAll(async () => {
  environment = await findEnvironment();
  sandbox = await findSandbox();
}, 600_000);
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

const hang = 'def process_data(x):\n    while x["doubled"][0][0] < 0: pass\n    return x\n';
const halve = 'def process_data(x):\n    return {"tensor": (x["doubled"] / 2).astype("float32")}\n';
const label = `
import os, pandas as pd
print("post-processing by", os.getpid())
def wallaroo_json(data: pd.DataFrame):
    return [{"label": "large" if cell[0] > 5 else "small"} for cell in data["y"]]
`;

interface PodSetup {
  readonly scripts: Readonly<Record<string, string>>;
  /** Names of the models in the order of the steps; `sum`, `one` and `rounds` are ONNX models. */
  readonly steps: readonly (string | { split: readonly string[] } | { audited: readonly string[] })[];
  readonly limits?: Partial<PodSpec['limits']>;
}

function startPod({ scripts, steps, limits }: PodSetup) {
  const onnx = placeModels([
    { name: 'sum', file: sumModel() },
    { name: 'one', file: sumModel(1) },
    { name: 'rounds', file: roundsModel() },
  ]);
  releases.push(onnx.remove);
  const models: PodModel[] = [...onnx.models];
  for (const [name, code] of Object.entries(scripts)) {
    const { program, remove } = placeScript(code, { sandbox, environment });
    releases.push(remove);
    models.push({ ...models[0]!, name, version: versionOf(models.length), path: '', python: program });
  }
  const reference = (name: string) => {
    const { version, sha } = models.find((model) => model.name === name)!;
    return { name, version, sha };
  };
  const log = createServer((socket) => void socket.resume()).listen(join(onnx.models[0]!.path, '../log.sock'));
  releases.push(() => log.close());
  const child = fork(join(import.meta.dirname, '../main.ts'), {
    execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
    env: {},
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  releases.push(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr!.on('data', (chunk) => {
    output += chunk;
  });
  const spec: PodSpec = {
    ...{ podId: 'pod-1', deploymentId: 1, deploymentName: 'd-1', workspaceId: 1, pipelineId: 1, pipelineName: 'pipe' },
    ...{ pipelineVersion: 'version-1', models, threads: 1, bindAddress: '127.0.0.1', key: 'key', memoryBytes: null },
    steps: steps.flatMap((step): unknown[] => {
      if (typeof step === 'string') return [{ ModelInference: { models: [reference(step)] } }];
      if ('split' in step) {
        const weights = step.split.map((name) => ({ model: reference(name), weight: 1 }));
        return [{ RandomSplit: { hash_key: null, weights } }];
      }
      const models = step.audited.map(reference);
      return [{ ModelInference: { models } }, { AuditResults: { from: 1, to: null } }, { Nth: { index: 0 } }];
    }),
    logSocketPath: join(onnx.models[0]!.path, '../log.sock'),
    limits: { ...testLimits, ...limits },
  };
  child.send({ type: 'load', spec });
  return { child, output: () => output };
}

/** The next message of a type. */
async function message<T extends PodToHost['type']>(child: ChildProcess, type: T): Promise<PodToHost & { type: T }> {
  for (;;) {
    const [received] = (await once(child, 'message')) as [PodToHost];
    if (received.type === type) return received as PodToHost & { type: T };
  }
}

async function infer(port: number, ...doubled: number[][]): Promise<{ status: number; body: string; ms: number }> {
  const startedAt = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}${sdkQuery}`, {
    method: 'POST',
    headers: { 'content-type': recordsType, 'x-pademelon-key': 'key' },
    body: JSON.stringify(doubled.map((row) => ({ doubled: row }))),
  });
  return { status: answer.status, body: await answer.text(), ms: performance.now() - startedAt };
}

/** The processes of scripts below the pod. */
function scriptPids(pod: number): number[] {
  return readFileSync(`/proc/${pod}/task/${pod}/children`, 'utf8').trim().split(' ').map(Number).filter(Boolean);
}

const around = { scripts: { halve, label }, steps: ['halve', 'sum', 'label'] };

test('scripts before and after a model answer, are logged, and end with the pod', async () => {
  const { child, output } = startPod(around);
  const { port } = await message(child, 'ready');
  const { status, body } = await infer(port, [2, 4, 6], [0, 0, 2]);
  expect(status, body).toBe(200);
  expect(JSON.parse(body)).toMatchObject([
    { 'in.doubled': [2, 4, 6], 'out.label': 'large' },
    { 'in.doubled': [0, 0, 2], 'out.label': 'small' },
  ]);
  expect(await message(child, 'alive')).toMatchObject({ requests: 1, errors: 0, queued: 0, loggedRows: 2 });
  await waitUntil('what the script printed is in the log', () => output().includes('"model":"label"'));
  const scripts = scriptPids(child.pid!);
  expect(scripts).toHaveLength(2);
  child.send({ type: 'drain' });
  expect(await once(child, 'exit')).toEqual([0, null]);
  await waitUntil('the scripts have ended', () => scripts.every((pid) => !existsSync(`/proc/${pid}`)));
});

test('many requests at once each get their own answer', async () => {
  const { child } = startPod({ ...around, limits: { queuedRequests: 100 } });
  const { port } = await message(child, 'ready');
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      infer(port, ...Array.from({ length: 1 + (index % 3) }, () => [index, 0, 0])),
    ),
  );
  answers.forEach(({ status, body }, index) => {
    expect(status).toBe(200);
    const labels = (JSON.parse(body) as { 'out.label': string }[]).map((row) => row['out.label']);
    expect(labels).toEqual(Array(1 + (index % 3)).fill(index / 2 > 5 ? 'large' : 'small'));
  });
});

test('no answer waits for challengers that are only logged', async () => {
  const { child } = startPod({ scripts: { halve, label }, steps: ['halve', { audited: ['one', 'rounds'] }, 'label'] });
  const { port } = await message(child, 'ready');
  const endless = 4e18;
  const { body, ms } = await infer(port, [endless]);
  expect(JSON.parse(body)).toMatchObject([{ 'out.label': 'large' }]);
  expect(ms).toBeLessThan(450);
  // The record comes when their time is over, and the pod waits for it.
  child.send({ type: 'drain' });
  await waitUntil('it is logged', async () => (await message(child, 'alive')).loggedRows === 1);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('while a script hangs the pod says that it lives and refuses at once; then it goes on', async () => {
  const { child } = startPod({
    ...{ scripts: { hang, halve }, steps: ['hang', 'halve', 'sum'] },
    limits: { runDeadlineMs: 6_000, queuedRequests: 1 },
  });
  const { port } = await message(child, 'ready');
  const stuck = infer(port, [-2, 0, 0]);
  await waitUntil('it hangs', async () => (await message(child, 'alive')).queued === 1);
  expect(await infer(port, [2, 4, 6])).toMatchObject({ status: 429, ms: expect.any(Number) });
  expect(await message(child, 'alive')).toMatchObject({ queued: 1 });
  const late = await stuck;
  expect(late).toMatchObject({ status: 504, body: expect.stringContaining('ran longer than the 6 s') });
  expect(await infer(port, [2, 4, 6])).toMatchObject({ status: 200 });
});

test('what a script says of its input is the answer, without places of this machine', async () => {
  const { child } = startPod({ scripts: { halve }, steps: ['halve', 'sum'] });
  const { port } = await message(child, 'ready');
  const { status, body } = await infer(port, [1], [1, 2]);
  expect(status).toBe(422);
  expect(body).toMatch(/ValueError: .*\(step\.py, line 2\)/);
  expect(body).not.toMatch(/\/(opt|tmp|work|root|usr)\//);
});

test('a pod that is killed takes its scripts with it', async () => {
  const { child } = startPod(around);
  await message(child, 'ready');
  const scripts = scriptPids(child.pid!);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitUntil('the scripts have ended', () => scripts.every((pid) => !existsSync(`/proc/${pid}`)));
});

test('a script that cannot be loaded, or is no step of its own, is the reason of a pod that cannot serve', async () => {
  const broken = startPod({ scripts: { halve: 'process_data = None' }, steps: ['halve'] });
  expect((await message(broken.child, 'failed')).reason).toMatch(
    /model "halve" cannot be loaded: step.py defines neither/,
  );
  const split = startPod({ scripts: { halve }, steps: [{ split: ['sum', 'halve'] }] });
  expect((await message(split.child, 'failed')).reason).toContain('can only be a model step of its own');
});
