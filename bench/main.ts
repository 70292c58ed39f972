// npm run bench                 our pods, our gateway and FastAPI side by side; writes bench/RESULTS.md
// npm run bench -- --peers       the same, and each of six other model servers beside FastAPI and ours; some 3 GB to install
// npm run bench -- --only=pod,fastapi   the targets whose name contains one of the words; writes nothing
// npm run bench -- --own        all of the following; writes bench/RESULTS-OWN.md
// npm run bench -- --limit      what ONNX Runtime and a bare HTTP server reach on this machine, and how near our pods come
// npm run bench -- --batching   pods with dynamic batching against pods without, for models ten times as heavy
// npm run bench -- --log        what the inference log costs: pods that log against pods that do not
// npm run bench -- --pages      how soon pages of a log of 10 million rows are there
// npm run bench -- --short      all but the other servers, in a minute or two: only checks that it works; writes nothing
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureBatching } from './batching.ts';
import { provideBenchModel } from './bench-model.ts';
import { type ComparisonOptions, compare } from './comparison.ts';
import { measureLimits } from './limits.ts';
import { measureLogPages } from './log-pages.ts';
import { measureLogging } from './logging.ts';
import { formatCircumstances, formatComparison } from './report.ts';
import { fastApiTarget } from './targets/fastapi.ts';
import { gatewayTarget } from './targets/gateway.ts';
import { peers, peerTarget } from './targets/peers.ts';
import { podsTarget } from './targets/pods.ts';
import { createWorkloads } from './workloads.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    own: { type: 'boolean', default: false },
    batching: { type: 'boolean', default: false },
    limit: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

const model = await provideBenchModel();
const workloads = await createWorkloads(model);
const rounds = values.short ? 1 : Number(values.rounds);
const seconds = values.short ? 1 : Number(values.seconds);
const options = { modelPath: model.path, workloads, rounds, seconds, say };

const own = [
  { flag: 'limit', title: 'Against the limits of the machine', measure: () => measureLimits(options) },
  { flag: 'batching', title: 'Dynamic batching', measure: () => measureBatching(options) },
  { flag: 'log', title: 'What the inference log costs', measure: () => measureLogging(options) },
  {
    flag: 'pages',
    title: 'Pages of the inference log',
    measure: () => measureLogPages(values.short ? { say, rows: 20_000 } : { say }),
  },
] as const;
const chosenOwn = own.filter(({ flag }) => values.own || values[flag]);
const circumstances = formatCircumstances(model.description, rounds, seconds);

if (values.short) {
  const sections = [await compareOurs(), ...(await measureOwn(own))];
  process.stdout.write(`\n${sections.join('\n\n')}\n`);
} else if (chosenOwn.length > 0) {
  const sections = [circumstances, ...(await measureOwn(chosenOwn))];
  process.stdout.write(`\n${sections.join('\n\n')}\n`);
  if (values.own)
    writeResults('RESULTS-OWN.md', '# Bench results of our own', 'Made by `npm run bench -- --own`.', sections);
} else {
  const sections = [circumstances, await compareOurs(), ...(values.peers ? await comparePeers(options) : [])];
  process.stdout.write(`\n${sections.join('\n\n')}\n`);
  if (values.only === '') {
    const introduction =
      'Made by `npm run bench`. Medians over the rounds; in brackets the median of the ratios to FastAPI in the same round.';
    writeResults('RESULTS.md', '# Bench results', introduction, sections);
  }
}

async function compareOurs(): Promise<string> {
  const words = values.only.toLowerCase().split(',');
  const targets = [fastApiTarget({ isGcOff: false }), fastApiTarget({ isGcOff: true }), podsTarget(), gatewayTarget()];
  const chosen = targets.filter(({ name }) => words.some((word) => name.toLowerCase().includes(word)));
  return formatComparison(await compare(chosen, options));
}

async function measureOwn(chosen: readonly (typeof own)[number][]): Promise<string[]> {
  const sections: string[] = [];
  for (const { title, measure } of chosen) sections.push(`## ${title}`, await measure());
  return sections;
}

/** One peer at a time, since some of them keep a core busy while nobody asks. */
async function comparePeers(options: ComparisonOptions): Promise<string[]> {
  const sections = [
    '## Other model servers',
    'Each in turns with FastAPI, which gives the full answer of a pipeline, and with the whole product asked in the Open Inference Protocol, which like the peers gives predictions alone, but keeps its log.',
  ];
  for (const peer of peers) {
    const targets = [fastApiTarget({ isGcOff: false }), gatewayTarget({ speaksOpenInference: true }), peerTarget(peer)];
    sections.push(formatComparison(await compare(targets, options)));
  }
  return sections;
}

function writeResults(file: string, title: string, introduction: string, sections: readonly string[]): void {
  const caution = 'Only ratios within one run count: absolute figures change from machine to machine and hour to hour.';
  const text = [title, `${introduction} ${caution}`, ...sections].join('\n\n');
  writeFileSync(join(import.meta.dirname, file), `${text}\n`);
}
