import { loopingModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { podCommand, processesOf, residentBytes } from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from '../acceptance/support/platform.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { type DeployedPipeline, deployModel, inferRecords } from '../acceptance/support/rest-flow.ts';
import { sizes } from './sizes.ts';
import { countStatuses, type LoadAnswer, percentile, startLoad } from './support/steady-load.ts';

const gatewayCommand = /apps\/gateway\/(dist|src)\/main\.(js|ts)/;

let platform: RunningPlatform;
let client: RestClient;
beforeAll(async () => {
  platform = await startPlatform();
  client = await logIn(platform);
});
afterAll(() => platform?.dispose());

/** Rounds of the model's loop that take it some thirty milliseconds on this machine now. */
async function findRounds(pipeline: DeployedPipeline): Promise<number> {
  let rounds = 1_000;
  for (;;) {
    const tookMs: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startedAtMs = performance.now();
      await inferRecords(client, pipeline.inferenceUrl, [{ x: rounds }]);
      tookMs.push(performance.now() - startedAtMs);
    }
    if (percentile(tookMs, 0.5) > 30) return rounds;
    rounds *= 1.5;
  }
}

/** What eight callers get who wait for their answers: as much as the pipeline can do. */
async function findPeak(pipeline: DeployedPipeline, records: unknown, forMs: number): Promise<number> {
  const endAtMs = performance.now() + forMs;
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endAtMs) {
      const { status } = await inferRecords(client, pipeline.inferenceUrl, records);
      if (status === 200 && performance.now() < endAtMs) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
  return answered / (forMs / 1000);
}

const rate = (answers: readonly LoadAnswer[], fromMs: number, toMs: number): number =>
  answers.filter(({ status, atMs }) => status === 200 && atMs >= fromMs && atMs < toMs).length /
  ((toMs - fromMs) / 1000);

interface Overload {
  readonly statuses: ReadonlySet<number>;
  /** Answers with 200 for each one at the peak, which is the lower of those before and after. */
  readonly goodputShare: number;
  readonly refusalMs: number;
  /** Memory that gateway and pod took on in the second half. */
  readonly grownMiB: number;
  readonly recoveredMs: number;
}

async function overload(pipeline: DeployedPipeline, forMs: number): Promise<Overload> {
  const [gateway] = processesOf(platform.pid, gatewayCommand);
  const [pod] = processesOf(platform.pid, podCommand);
  const records = [{ x: await findRounds(pipeline) }];
  const peakBefore = await findPeak(pipeline, records, 3_000);
  const startedAtMs = performance.now();
  const load = startLoad(client, { url: pipeline.inferenceUrl, records, perSecond: Math.ceil(10 * peakBefore) });
  const memory = (): number => residentBytes(gateway!.pid) + residentBytes(pod!.pid);
  const afterMs = (delayMs: number) =>
    new Promise((resolve) => setTimeout(resolve, startedAtMs + delayMs - performance.now()));
  await afterMs(forMs / 2);
  const halfWayBytes = memory();
  await afterMs(forMs);
  const endBytes = memory();
  const endedAtMs = performance.now();
  const stopped = load.stop();
  const recoveredMs = await untilQuick(pipeline, records, { sinceMs: endedAtMs, quickMs: 8_000 / peakBefore });
  const answers = await stopped;
  const peakAfter = await findPeak(pipeline, records, 3_000);

  // The first second fills the queue; what other processes of the machine take away hits the peaks, too.
  const goodput = rate(answers, startedAtMs + 1_000, endedAtMs);
  const refusals = answers.filter(({ status }) => status === 429);
  const refusalMs = percentile(
    refusals.map(({ tookMs }) => tookMs),
    0.5,
  );
  const grownMiB = (endBytes - halfWayBytes) / 2 ** 20;
  process.stdout.write(
    `overload: ${answers.length} requests in ${forMs / 1000} s (${countStatuses(answers)}); ` +
      `goodput ${goodput.toFixed(1)}/s, peak before ${peakBefore.toFixed(1)}/s, after ${peakAfter.toFixed(1)}/s; ` +
      `median refusal ${refusalMs.toFixed(1)} ms; memory ${grownMiB.toFixed(1)} MiB more in the second half; ` +
      `recovered after ${recoveredMs.toFixed(0)} ms\n`,
  );
  const statuses = new Set(answers.map(({ status }) => status));
  return { statuses, goodputShare: goodput / Math.min(peakBefore, peakAfter), refusalMs, grownMiB, recoveredMs };
}

const recoveryMs = 5_000;

/** What the machine's other work spoils it spoils once, a defect each time; what it cannot spoil holds each time. */
async function bestOverload(pipeline: DeployedPipeline, attempts: number): Promise<Overload> {
  const seen = await overload(pipeline, sizes.overloadMs);
  expect(seen.statuses).toEqual(new Set([200, 429]));
  expect(seen.refusalMs).toBeLessThan(50);
  expect(seen.grownMiB).toBeLessThan(64);
  const isGood = seen.goodputShare > sizes.goodputShare && seen.recoveredMs < recoveryMs;
  return isGood || attempts === 1 ? seen : bestOverload(pipeline, attempts - 1);
}

it(
  `ten times the capacity for ${sizes.overloadMs / 1000} s: goodput, quick refusals, flat memory, recovery`,
  async () => {
    const pipeline = await deployModel(client, { modelBytes: loopingModel() });
    const seen = await bestOverload(pipeline, 3);
    expect(seen.goodputShare).toBeGreaterThan(sizes.goodputShare);
    expect(seen.recoveredMs).toBeLessThan(recoveryMs);
  },
  3 * (sizes.overloadMs + 60_000),
);

/** Milliseconds since the end of the load until an answer takes no longer than with eight callers at the peak. */
async function untilQuick(
  pipeline: DeployedPipeline,
  records: unknown,
  { sinceMs, quickMs }: { sinceMs: number; quickMs: number },
): Promise<number> {
  for (;;) {
    const startedAtMs = performance.now();
    const { status } = await inferRecords(client, pipeline.inferenceUrl, records);
    const nowMs = performance.now();
    if ((status === 200 && nowMs - startedAtMs < quickMs) || nowMs - sinceMs > 30_000) return nowMs - sinceMs;
  }
}
