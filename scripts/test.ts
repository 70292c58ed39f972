// `npm test` and `npm run check`: runs the stages, adds their tests up and ends with the line "N passed, N failed".
// Arguments choose stages by name: `npm test -- unit integration`.
import { type Counts, runStage, type StageResult, type StageRun } from './run-stage.ts';
import { repository } from './source-files.ts';
import { chooseStages, type Stage } from './stages.ts';

const [command, ...names] = process.argv.slice(2);
let current: StageRun | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    current?.kill();
    process.exit(130);
  });
}

async function runAll(stages: readonly Stage[]): Promise<Counts> {
  const rows: (StageResult & { stage: Stage; seconds: number })[] = [];
  for (const stage of stages) {
    console.log(`\n── ${stage.title} ──`);
    const startedAt = performance.now();
    current = runStage(stage, repository);
    const result = await current.result;
    rows.push({ stage, ...result, seconds: (performance.now() - startedAt) / 1000 });
  }
  // Again at the end, where they are seen when only the end of the output is kept.
  for (const { stage, failures } of rows) {
    for (const failure of failures) console.log(`\nFailed in ${stage.name}: ${failure.slice(0, 2000)}`);
  }
  console.log(
    `\n${'stage'.padEnd(16)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(8)}${'s'.padStart(8)}`,
  );
  for (const { stage, counts, seconds } of rows) {
    const cells = [counts.passed, counts.failed, counts.skipped, seconds.toFixed(0)];
    console.log(stage.name.padEnd(16) + cells.map((cell) => String(cell).padStart(8)).join(''));
  }
  const sum = (key: keyof Counts): number => rows.reduce((total, row) => total + row.counts[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

try {
  const { passed, failed, skipped } = await runAll(chooseStages(command === 'check' ? 'check' : 'test', names));
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
} catch (error) {
  console.log((error as Error).message);
  process.exitCode = 1;
}
