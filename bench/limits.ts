import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { applyLoad } from './load.ts';
import type { RunningTarget } from './target.ts';
import type { Workload, Workloads } from './workloads.ts';

/** What no server on this machine can beat: ONNX Runtime in process, and Node's HTTP answering a constant. */
export async function measureLimits(modelPath: string, workloads: Workloads): Promise<string> {
  const lines = ['| limit | |', '|---|--:|'];
  const oneRowUs = await timeRuns(modelPath, workloads.oneRow, 1);
  lines.push(`| ONNX Runtime in process, 1 row | ${oneRowUs.toFixed(1)} µs a call |`);
  for (const threads of [1, 2]) {
    const microseconds = await timeRuns(modelPath, workloads.thousandRowsArrow, threads);
    const rowsPerSecond = Math.round(1e9 / microseconds).toLocaleString('en');
    lines.push(`| ONNX Runtime in process, 1,000 rows, ${threads} thread(s) | ${rowsPerSecond} rows/s |`);
  }
  const server = await startConstantServers(2);
  try {
    const one = await applyLoad(server, workloads.oneRow, { clients: 1, seconds: 3 });
    lines.push(`| bare Node HTTP, 1 client | p50 ${one.p50Ms.toFixed(3)} ms |`);
    const many = await applyLoad(server, workloads.oneRow, { clients: 32, seconds: 3 });
    const requests = Math.round(many.requestsPerSecond).toLocaleString('en');
    lines.push(`| bare Node HTTP, 32 clients, 2 processes | ${requests} requests/s |`);
  } finally {
    await server.stop();
  }
  return lines.join('\n');
}

/** Microseconds a call takes on the rows of the workload: the way through a forest depends on them. */
async function timeRuns(modelPath: string, { rows, values }: Workload, threads: number): Promise<number> {
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: threads });
  const data = Float32Array.from(values.flat());
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', data, [rows, data.length / rows]) };
  const run = async (count: number) => {
    for (let index = 0; index < count; index++) await session.run(feeds);
  };
  const count = rows === 1 ? 20_000 : 500;
  await run(count / 10);
  const startedAt = performance.now();
  await run(count);
  const microseconds = ((performance.now() - startedAt) * 1000) / count;
  await session.release();
  return microseconds;
}

async function startConstantServers(count: number): Promise<RunningTarget> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const child = fork(join(import.meta.dirname, 'constant-server.ts'));
      const [port] = (await once(child, 'message')) as [number];
      return { child, url: `http://127.0.0.1:${port}/` };
    }),
  );
  return {
    urls: servers.map(({ url }) => url),
    headers: {},
    startMs: 0,
    memoryBytes: () => 0,
    async stop() {
      for (const { child } of servers) {
        child.disconnect();
        await once(child, 'exit');
      }
    },
  };
}
