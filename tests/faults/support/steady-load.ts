import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestClient } from '../../acceptance/support/rest-client.ts';
import { recordsType } from '../../acceptance/support/rest-flow.ts';

export interface LoadAnswer {
  /** 0 when the connection broke. */
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
  /** When it was there, on the clock of performance.now(). */
  readonly atMs: number;
}

export interface SteadyLoad {
  readonly answers: readonly LoadAnswer[];
  /** Sends no more, waits for the answers that are still to come, and gives all. */
  stop(): Promise<readonly LoadAnswer[]>;
}

/**
 * Sends one inference after the other at a steady rate, whether earlier ones are answered or not, as many independent
 * callers would: what is slow does not slow the load down.
 */
export function startLoad(
  client: RestClient,
  options: { url: string; records: unknown; perSecond: number; connections?: number },
): SteadyLoad {
  const { url, records, perSecond } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections ?? 2_000 });
  const body = JSON.stringify(records);
  const headers = {
    authorization: `Bearer ${client.token}`,
    'content-type': recordsType,
    'content-length': body.length,
  };
  const answers: LoadAnswer[] = [];
  let sent = 0;
  let isOver = false;
  const startedAtMs = performance.now();
  const send = (): void => {
    sent += 1;
    const sentAtMs = performance.now();
    const settle = (status: number, text: string): void => {
      const atMs = performance.now();
      answers.push({ status, text, tookMs: atMs - sentAtMs, atMs });
    };
    request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => settle(response.statusCode!, text));
      response.on('error', (error) => settle(0, String(error)));
    })
      .on('error', (error) => settle(0, String(error)))
      .end(body);
  };
  const running = (async () => {
    while (!isOver) {
      const due = Math.floor(((performance.now() - startedAtMs) / 1000) * perSecond);
      while (sent < due) send();
      await sleep(1);
    }
    while (answers.length < sent) await sleep(10);
    agent.destroy();
  })();
  return {
    answers,
    async stop() {
      isOver = true;
      await running;
      return answers;
    },
  };
}

/** How many answers had each status, as `200: 150, 429: 3`. */
export function countStatuses(answers: readonly LoadAnswer[]): string {
  const counts = Map.groupBy(answers, ({ status }) => status);
  return [...counts.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(([status, of]) => `${status}: ${of.length}`)
    .join(', ');
}

/** Those that were not answered 200; the first few are enough to see why. */
export function failures(answers: readonly LoadAnswer[]): readonly string[] {
  return answers.filter(({ status }) => status !== 200).map(({ status, text }) => `${status} ${text.slice(0, 300)}`);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
