import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DynamicBatching, HostToPod, PodSpec, PodToHost } from '@pademelon/contracts';
import { podKeyHeader } from '@pademelon/contracts';
import { residentBytes } from '../../scripts/process-tree.ts';
import { sdkUserAgent } from '../sdk-user-agent.ts';
import type { Target } from '../target.ts';
import { usedCpuMs } from './cpu-time.ts';
import { firstAnswer } from './first-answer.ts';

const podEntry = resolve(import.meta.dirname, '../../apps/inference/dist/pod/main.js');
const collectorEntry = resolve(import.meta.dirname, 'log-collector-process.ts');
const query = 'dataset%5B%5D=%2A&dataset.exclude%5B%5D=metadata&dataset.separator=.';

export interface PodsOptions {
  readonly name?: string;
  readonly dynamicBatching?: DynamicBatching;
  /** Nobody takes the pods' records: they count what they cannot hand over, and keep nothing. */
  readonly isLogOff?: boolean;
}

/**
 * Our pods without gateway and host: two processes of one thread, as a deployment with two replicas has them. They log
 * to a collector process that stores every record in PostgreSQL, as the host's does.
 */
export function podsTarget(options: PodsOptions = {}): Target {
  const { name = 'Pademelon pod', dynamicBatching = null, isLogOff = false } = options;
  return {
    name,
    async start(modelPath) {
      const folder = await mkdtemp(join(tmpdir(), 'pademelon-bench-'));
      const logSocketPath = join(folder, 'log.sock');
      const collector = isLogOff ? null : await startCollector(folder, logSocketPath);
      const key = randomUUID();
      const headers = { [podKeyHeader]: key, 'user-agent': sdkUserAgent };
      const startedAt = performance.now();
      const pods = await Promise.all(
        [1, 2].map((id) => startPod(podSpec({ id, modelPath, key, logSocketPath, dynamicBatching }))),
      );
      const urls = pods.map(({ port }) => `http://127.0.0.1:${port}/infer?${query}`);
      for (const url of urls) await firstAnswer(url, headers);
      return {
        urls,
        headers,
        startMs: performance.now() - startedAt,
        cpuMs: () => pods.reduce((total, pod) => total + usedCpuMs(pod.child.pid!), 0),
        memoryBytes: () => pods.reduce((total, pod) => total + residentBytes(pod.child.pid!), 0),
        async stop() {
          for (const { child } of pods) await end(child, () => child.send({ type: 'drain' } satisfies HostToPod));
          if (collector !== null) await end(collector, () => collector.disconnect());
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

async function startCollector(folder: string, logSocketPath: string): Promise<ChildProcess> {
  const collector = fork(collectorEntry, [folder, logSocketPath], {
    execArgv: ['--conditions=source', '--max-semi-space-size=8', '--initial-old-space-size=128'],
  });
  await once(collector, 'message');
  return collector;
}

async function startPod(spec: PodSpec): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(podEntry, [], { execArgv: ['--max-semi-space-size=64', '--initial-old-space-size=128'] });
  child.send({ type: 'load', spec } satisfies HostToPod);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`The pod ended with ${code} instead of serving.`);
  });
  while (true) {
    const [message] = (await Promise.race([once(child, 'message'), failed])) as [PodToHost];
    if (message.type === 'failed') throw new Error(`The pod says: ${message.reason}`);
    if (message.type === 'ready') return { child, port: message.port };
  }
}

async function end(child: ChildProcess, ask: () => void): Promise<void> {
  const ended = once(child, 'exit');
  ask();
  await ended;
}

interface PodIdentity {
  readonly id: number;
  readonly modelPath: string;
  readonly key: string;
  readonly logSocketPath: string;
  readonly dynamicBatching: DynamicBatching | null;
}

function podSpec({ id, modelPath, key, logSocketPath, dynamicBatching }: PodIdentity): PodSpec {
  const model = { name: 'house-price', version: randomUUID(), sha: '0'.repeat(64) };
  return {
    podId: `${id}`,
    deploymentId: 1,
    deploymentName: 'bench-1',
    workspaceId: 1,
    pipelineId: 1,
    pipelineName: 'bench',
    pipelineVersion: randomUUID(),
    steps: [{ ModelInference: { models: [model] } }],
    models: [{ ...model, versionId: 1, path: modelPath, tensorFields: null, dynamicBatching }],
    memoryBytes: null,
    threads: 1,
    bindAddress: '127.0.0.1',
    key,
    logSocketPath,
    limits: {
      jsonBodyBytes: 16 * 2 ** 20,
      arrowBodyBytes: 64 * 2 ** 20,
      rows: 1e7,
      queuedRequests: 512,
      requestDeadlineMs: 60_000,
      runDeadlineMs: 30_000,
    },
  };
}
