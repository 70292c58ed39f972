import { type ComparisonOptions, scenarios } from './comparison.ts';
import { loadGenerator } from './load.ts';
import { median } from './report.ts';
import { podsTarget } from './targets/pods.ts';
import { loadInTurns } from './turns.ts';

/**
 * What the inference log costs: two pods whose records a collector stores in PostgreSQL, against two that hand them to
 * nobody, in turns. All of it shares the machine with the load generator. A table in Markdown.
 */
export async function measureLogging(options: ComparisonOptions): Promise<string> {
  const { modelPath, workloads, rounds, seconds, say } = options;
  const lines = [
    `Two pods, ${loadGenerator}, ${rounds} rounds of ${seconds} s in turns; CPU is the pods' own for a request.`,
    '',
    '| | without the log: requests/s | CPU µs | with: requests/s | CPU µs | ratio of requests/s |',
    '|---|--:|--:|--:|--:|--:|',
  ];
  const without = await podsTarget({ name: 'without the log', isLogOff: true }).start(modelPath);
  try {
    const logging = await podsTarget({ name: 'with the log' }).start(modelPath);
    try {
      for (const { name, clients, workload } of scenarios) {
        const turns = await loadInTurns([without, logging], workload(workloads), { clients, rounds, seconds });
        const cells = turns.flatMap((results) => [
          Math.round(median(results.map((each) => each.requestsPerSecond))).toLocaleString('en'),
          median(results.map((each) => each.cpuUs)).toFixed(0),
        ]);
        const [off, on] = turns;
        const ratio = median(on!.map((each, round) => each.requestsPerSecond / off![round]!.requestsPerSecond));
        lines.push(`| ${name} | ${cells.join(' | ')} | ${ratio.toFixed(2)} |`);
        say(lines.at(-1)!);
      }
    } finally {
      await logging.stop();
    }
  } finally {
    await without.stop();
  }
  return lines.join('\n');
}
