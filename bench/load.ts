import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { pipelineForm } from './request-form.ts';
import type { RunningTarget } from './target.ts';
import type { Workload } from './workloads.ts';

const run = promisify(execFile);

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that got no answer or another status than 200. */
  readonly failed: number;
}

export interface LoadOptions {
  readonly clients: number;
  readonly seconds: number;
}

/** The load generator of this machine: wrk where it is installed, autocannon otherwise. One bench uses only one. */
export const loadGenerator: 'wrk' | 'autocannon' = await run('wrk', ['-v']).then(
  () => 'wrk',
  // wrk prints its version and ends with 1.
  (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'autocannon' : 'wrk'),
);

interface LoadRequest {
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Whether the target has a request for what the workload is made of. */
export function takes({ form = pipelineForm }: RunningTarget, workload: Workload): boolean {
  return form.request(workload) !== null;
}

/** Closed-loop load: each of the clients sends its next request when the last one is answered. */
export function applyLoad(target: RunningTarget, workload: Workload, options: LoadOptions): Promise<LoadResult> {
  const request = (target.form ?? pipelineForm).request(workload);
  if (request === null) throw new Error(`There is no request for ${workload.name}.`);
  const { urls } = target;
  const load: LoadRequest = { urls, headers: { ...request.headers, ...target.headers }, body: request.body };
  return loadGenerator === 'wrk' ? runWrk(load, options) : runAutocannon(load, options);
}

async function runWrk({ urls, headers, body }: LoadRequest, options: LoadOptions): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'pademelon-bench-'));
  try {
    const lines = Object.entries(headers);
    await writeFile(join(folder, 'body'), body);
    await writeFile(join(folder, 'headers'), lines.map(([name, value]) => `${name}: ${value}\n`).join(''));
    const threads = Math.min(options.clients, 2);
    const { stdout } = await run(
      'wrk',
      [
        ...['-t', String(threads), '-c', String(options.clients), '-d', `${options.seconds}s`],
        ...['--timeout', '10s', '--latency', '-s', join(import.meta.dirname, 'load.lua'), urls[0]!],
      ],
      {
        env: {
          ...process.env,
          BENCH_BODY: join(folder, 'body'),
          BENCH_HEADERS: join(folder, 'headers'),
          BENCH_ADDRESSES: urls.map((url) => new URL(url).host).join(' '),
        },
      },
    );
    return readWrkResult(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readWrkResult(output: string): LoadResult {
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no result:\n${output}`);
  const { requests, durationUs, p50Us, p99Us, failed } = JSON.parse(line) as Record<string, number>;
  return {
    requestsPerSecond: requests! / (durationUs! / 1e6),
    p50Ms: p50Us! / 1000,
    p99Ms: p99Us! / 1000,
    failed: failed!,
  };
}

async function runAutocannon({ body, headers, ...request }: LoadRequest, options: LoadOptions): Promise<LoadResult> {
  const urls = request.urls.slice(0, options.clients);
  const results = await Promise.all(
    urls.map((url) =>
      autocannon({
        url,
        method: 'POST',
        body,
        headers,
        connections: Math.ceil(options.clients / urls.length),
        duration: options.seconds,
        timeout: 10,
      }),
    ),
  );
  const sum = (pick: (result: autocannon.Result) => number) => results.reduce((total, item) => total + pick(item), 0);
  return {
    requestsPerSecond: sum((result) => result.requests.total / result.duration),
    p50Ms: sum((result) => result.latency.p50) / results.length,
    p99Ms: Math.max(...results.map((result) => result.latency.p99)),
    failed: sum((result) => result.errors + result.non2xx),
  };
}
