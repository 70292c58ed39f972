/** One part of `npm test`. */
export interface Stage {
  readonly name: string;
  /** What the terminal shows above its output. */
  readonly title: string;
  /** Program and arguments, found on the PATH that the bootstrap sets. */
  readonly command: readonly string[];
  /** Vitest counts its tests itself; any other command is one test, passed when it ends with 0. */
  readonly isVitest?: boolean;
  readonly deadlineMinutes: number;
  /** A part of `npm run check`, too: seconds, not minutes. */
  readonly isQuick?: boolean;
}

const vitest = (...args: string[]): readonly string[] => ['vitest', 'run', ...args];

/** In the order in which they run: what is cheapest to see comes first. */
export const stages: readonly Stage[] = [
  { name: 'lint', title: 'Format and lint', command: ['biome', 'ci'], deadlineMinutes: 2, isQuick: true },
  {
    name: 'generate',
    title: 'Generated database client',
    command: ['pnpm', '--filter', '@pademelon/database', 'run', 'generate'],
    deadlineMinutes: 2,
    isQuick: true,
  },
  {
    name: 'types',
    title: 'Types',
    command: ['tsc', '-p', 'tsconfig.json', '--noEmit'],
    deadlineMinutes: 5,
    isQuick: true,
  },
  { name: 'rooms', title: 'Rooms', command: ['node', 'scripts/check-rooms.ts'], deadlineMinutes: 2, isQuick: true },
  { name: 'sizes', title: 'Sizes', command: ['node', 'scripts/check-sizes.ts'], deadlineMinutes: 2, isQuick: true },
  {
    name: 'unit',
    title: 'Unit tests',
    command: vitest('--project', 'unit'),
    isVitest: true,
    deadlineMinutes: 10,
    isQuick: true,
  },
  {
    name: 'integration',
    title: 'Integration tests on a real PostgreSQL',
    command: vitest('--project', 'integration'),
    isVitest: true,
    deadlineMinutes: 15,
  },
  {
    name: 'hostile-code',
    title: 'Runs that take all they can get',
    command: vitest('--config', 'tests/hostile-code/vitest.config.ts'),
    isVitest: true,
    deadlineMinutes: 4,
  },
  { name: 'build', title: 'Build', command: ['sh', 'scripts/bootstrap.sh', 'build'], deadlineMinutes: 5 },
  {
    name: 'launcher',
    title: 'The launcher, from outside',
    command: vitest('--config', 'tests/launcher/vitest.config.ts'),
    isVitest: true,
    deadlineMinutes: 10,
  },
  {
    name: 'acceptance',
    title: 'Acceptance with the official SDKs',
    command: vitest('--config', 'tests/acceptance/vitest.config.ts', '--exclude', 'orchestrations/**'),
    isVitest: true,
    deadlineMinutes: 25,
  },
  {
    name: 'faults',
    title: 'Faults of inference: swaps, terminations, crashes, overload',
    command: vitest('--config', 'tests/faults/vitest.config.ts'),
    isVitest: true,
    deadlineMinutes: 10,
  },
  {
    name: 'bench',
    title: 'The benchmarks, only whether they work',
    command: ['node', '--conditions=source', 'bench/main.ts', '--short'],
    deadlineMinutes: 10,
  },
  {
    name: 'orchestrations',
    title: 'The BigQuery tutorial with the official SDKs and the Google clients',
    command: vitest('--config', 'tests/acceptance/vitest.config.ts', 'orchestrations'),
    isVitest: true,
    deadlineMinutes: 20,
  },
  {
    name: 'chaos',
    title: 'Killed and frozen: workers, Redis, PostgreSQL',
    command: vitest('--config', 'tests/chaos/vitest.config.ts'),
    isVitest: true,
    deadlineMinutes: 15,
  },
  {
    name: 'docker',
    title: 'The compose file and its images, without Docker',
    command: vitest('--config', 'tests/docker/vitest.config.ts'),
    isVitest: true,
    deadlineMinutes: 15,
  },
  {
    name: 'fresh-machine',
    title: 'Both commands on a fresh machine',
    command: vitest('--config', 'tests/fresh-machine/vitest.config.ts'),
    isVitest: true,
    deadlineMinutes: 20,
  },
];

/** The stages of a command, or those named; throws for a name that there is not. */
export function chooseStages(command: 'test' | 'check', names: readonly string[]): readonly Stage[] {
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    const known = stages.map((stage) => stage.name).join(', ');
    throw new Error(`There is no stage ${unknown.join(', ')}. The stages are ${known}.`);
  }
  if (names.length > 0) return stages.filter((stage) => names.includes(stage.name));
  return command === 'check' ? stages.filter((stage) => stage.isQuick) : stages;
}
