import { checkAnswers } from './check-answers.ts';
import { applyLoad, type LoadResult, takes } from './load.ts';
import type { RunningTarget, Target } from './target.ts';
import { TargetUnavailable } from './target.ts';
import type { Workload, Workloads } from './workloads.ts';

export interface Scenario {
  readonly name: string;
  readonly clients: number;
  readonly workload: (workloads: Workloads) => Workload;
}

export const scenarios: readonly Scenario[] = [
  { name: '1 row, 1 client', clients: 1, workload: ({ oneRow }) => oneRow },
  { name: '1 row, 32 clients', clients: 32, workload: ({ oneRow }) => oneRow },
  { name: '1,000 rows JSON, 1 client', clients: 1, workload: ({ thousandRowsJson }) => thousandRowsJson },
  { name: '1,000 rows JSON, 8 clients', clients: 8, workload: ({ thousandRowsJson }) => thousandRowsJson },
  { name: '1,000 rows Arrow, 1 client', clients: 1, workload: ({ thousandRowsArrow }) => thousandRowsArrow },
  { name: '1,000 rows Arrow, 8 clients', clients: 8, workload: ({ thousandRowsArrow }) => thousandRowsArrow },
];

export interface Measurement extends LoadResult {
  readonly target: string;
  readonly scenario: string;
  readonly round: number;
  readonly rowsPerSecond: number;
}

export interface TargetFacts {
  readonly target: string;
  readonly startMs: number;
  /** Before the first load, and after the last. */
  readonly idleBytes: number;
  readonly loadedBytes: number;
}

export interface Comparison {
  readonly measurements: readonly Measurement[];
  readonly facts: readonly TargetFacts[];
  /** Targets left out, with the reason. */
  readonly unavailable: readonly string[];
}

export interface ComparisonOptions {
  readonly modelPath: string;
  readonly workloads: Workloads;
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/**
 * Starts all targets, checks every answer against ONNX Runtime, then measures in rounds in which the targets take
 * turns, so that a slow minute of the machine hits them all.
 */
export async function compare(targets: readonly Target[], options: ComparisonOptions): Promise<Comparison> {
  const running: { name: string; target: RunningTarget; idleBytes: number }[] = [];
  const unavailable: string[] = [];
  try {
    for (const { name, start } of targets) {
      options.say(`starting ${name}`);
      const target = await start(options.modelPath).catch((error: unknown) => {
        if (!(error instanceof TargetUnavailable)) throw error;
        unavailable.push(`${name}: ${error.message}`);
        return undefined;
      });
      if (target === undefined) continue;
      running.push({ name, target, idleBytes: target.memoryBytes() });
      for (const workload of Object.values(options.workloads)) await checkAnswers(target, workload);
    }
    options.say('every target gives the answers of ONNX Runtime');
    const measurements = await measureRounds(running, options);
    const facts = running.map(({ name, target, idleBytes }) => ({
      target: name,
      startMs: target.startMs,
      idleBytes,
      loadedBytes: target.memoryBytes(),
    }));
    return { measurements, facts, unavailable };
  } finally {
    for (const { target } of running) await target.stop();
  }
}

async function measureRounds(
  running: readonly { name: string; target: RunningTarget }[],
  { rounds, seconds, workloads, say }: ComparisonOptions,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const scenario of scenarios) {
      const workload = scenario.workload(workloads);
      for (const { name, target } of running) {
        if (!takes(target, workload)) continue;
        if (round === 1) await applyLoad(target, workload, { clients: scenario.clients, seconds: 1 });
        const result = await applyLoad(target, workload, { clients: scenario.clients, seconds });
        if (result.failed > 0) throw new Error(`${name}: ${result.failed} requests failed in ${scenario.name}.`);
        const rowsPerSecond = result.requestsPerSecond * workload.rows;
        measurements.push({ target: name, scenario: scenario.name, round, rowsPerSecond, ...result });
        say(
          `round ${round}  ${scenario.name.padEnd(28)} ${name.padEnd(20)} p50 ${result.p50Ms.toFixed(3)} ms  p99 ${result.p99Ms.toFixed(2)} ms  ${Math.round(rowsPerSecond).toLocaleString('en')} rows/s`,
        );
      }
    }
  }
  return measurements;
}
