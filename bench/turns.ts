import { checkAnswers } from './check-answers.ts';
import { applyLoad, type LoadOptions, type LoadResult } from './load.ts';
import type { RunningTarget } from './target.ts';
import type { Workload } from './workloads.ts';

export interface TurnOptions extends LoadOptions {
  readonly rounds: number;
}

export interface TurnResult extends LoadResult {
  /** CPU time of the target's own processes for one request, in microseconds. */
  readonly cpuUs: number;
}

/**
 * Loads the targets in turns, after a second each to get warm, and the other way round in every other round, so that what
 * one leaves behind does not always meet the same one. Resolves to the results of each target by round.
 */
export async function loadInTurns(
  targets: readonly RunningTarget[],
  workload: Workload,
  { clients, rounds, seconds }: TurnOptions,
): Promise<TurnResult[][]> {
  const results: TurnResult[][] = targets.map(() => []);
  for (const target of targets) {
    await checkAnswers(target, workload);
    await applyLoad(target, workload, { clients, seconds: 1 });
  }
  for (let round = 0; round < rounds; round++) {
    const inTurn = [...targets.entries()];
    for (const [index, target] of round % 2 === 0 ? inTurn : inTurn.reverse()) {
      const cpuBeforeMs = target.cpuMs!();
      const result = await applyLoad(target, workload, { clients, seconds });
      if (result.failed > 0) throw new Error(`${result.failed} requests failed.`);
      const cpuUs = ((target.cpuMs!() - cpuBeforeMs) * 1000) / (result.requestsPerSecond * seconds);
      results[index]!.push({ ...result, cpuUs });
    }
  }
  return results;
}
