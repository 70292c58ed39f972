// npm run bench                 our pods, our gateway and FastAPI side by side; writes bench/RESULTS.md
// npm run bench -- --short      a few seconds: only checks that everything works; writes nothing
// npm run bench -- --peers       the same, and each of seven other model servers beside FastAPI and ours; some 3 GB to install
// npm run bench -- --limit      what ONNX Runtime and a bare HTTP server reach on this machine
// npm run bench -- --batching   pods with dynamic batching against pods without, for models ten times as heavy
// npm run bench -- --log        what the inference log costs: pods that log against pods that do not
// npm run bench -- --only=pod,fastapi   the targets whose name contains one of the words; writes nothing
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureBatching } from './batching.ts';
import { provideBenchModel } from './bench-model.ts';
import { type ComparisonOptions, compare } from './comparison.ts';
import { measureLimits } from './limits.ts';
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
    batching: { type: 'boolean', default: false },
    limit: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
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

if (values.limit) {
  process.stdout.write(`${await measureLimits(model.path, workloads)}\n`);
} else if (values.batching) {
  process.stdout.write(`${await measureBatching({ rounds, seconds, say })}\n`);
} else if (values.log) {
  process.stdout.write(`${await measureLogging(options)}\n`);
} else {
  const words = values.only.toLowerCase().split(',');
  const targets = [fastApiTarget({ isGcOff: false }), fastApiTarget({ isGcOff: true }), podsTarget(), gatewayTarget()];
  const chosen = targets.filter(({ name }) => words.some((word) => name.toLowerCase().includes(word)));
  const sections = [
    formatCircumstances(model.description, rounds, seconds),
    formatComparison(await compare(chosen, options)),
    ...(values.peers ? await comparePeers(options) : []),
  ];
  process.stdout.write(`\n${sections.join('\n\n')}\n`);
  if (!values.short && values.only === '') writeResults(sections);
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

function writeResults(sections: readonly string[]): void {
  const introduction =
    'Made by `npm run bench`. Medians over the rounds; in brackets the median of the ratios to FastAPI in the same round. Only ratios within one run count: absolute figures change from machine to machine and hour to hour.';
  const text = ['# Bench results', introduction, ...sections].join('\n\n');
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), `${text}\n`);
}
