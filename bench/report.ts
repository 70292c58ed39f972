import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fastApiEnvironment } from '../scripts/python-environments.ts';
import { type Comparison, type Measurement, scenarios } from './comparison.ts';
import { loadGenerator } from './load.ts';

/** Every ratio in brackets is to this target in the same round. */
const baseline = 'FastAPI';
/** Ratios to this one have a table of their own. */
const tunedBaseline = 'FastAPI, gc off';

type Figure = 'p50Ms' | 'p99Ms' | 'rowsPerSecond';

const figures: readonly { readonly name: string; readonly of: Figure; readonly digits: number }[] = [
  { name: 'p50 ms', of: 'p50Ms', digits: 3 },
  { name: 'p99 ms', of: 'p99Ms', digits: 2 },
  { name: 'rows/s', of: 'rowsPerSecond', digits: 0 },
];

/** The tables in Markdown: medians over the rounds, in brackets the median of the ratios within each round. */
export function formatComparison(comparison: Comparison): string {
  const targets = comparison.facts.map(({ target }) => target);
  const lines = [`| | | ${targets.join(' | ')} |`, `|---|---|${targets.map(() => '--:|').join('')}`];
  for (const { name } of scenarios) {
    for (const figure of figures) {
      const cells = targets.map((target) => formatCell(comparison.measurements, { target, scenario: name, figure }));
      lines.push(`| ${name} | ${figure.name} | ${cells.join(' | ')} |`);
    }
  }
  lines.push(
    ...tunedRatios(comparison.measurements, targets),
    '',
    '| | start s | idle MB | after load MB |',
    '|---|--:|--:|--:|',
  );
  for (const { target, startMs, idleBytes, loadedBytes } of comparison.facts) {
    const megabytes = [idleBytes, loadedBytes].map((bytes) => (bytes / 1e6).toFixed(0));
    lines.push(`| ${target} | ${(startMs / 1000).toFixed(2)} | ${megabytes.join(' | ')} |`);
  }
  for (const reason of comparison.unavailable) lines.push('', `Left out: ${reason}`);
  return lines.join('\n');
}

/** Where, when and with what it was measured. */
export function formatCircumstances(model: string, rounds: number, seconds: number): string {
  const { version } = JSON.parse(
    readFileSync(new URL('node_modules/onnxruntime-node/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  return [
    `Date: ${new Date().toISOString().slice(0, 16)}Z`,
    `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux, shared with the load generator`,
    `Versions: Node ${process.versions.node}, onnxruntime-node ${version}; ${fastApiEnvironment.requirements.join(', ')}`,
    `Model: ${model}`,
    `Load: ${loadGenerator}, ${rounds} interleaved rounds of ${seconds} s each; inference log on`,
  ].join('\n\n');
}

/** The medians of the ratios to FastAPI without its garbage collector, where it takes part. */
function tunedRatios(measurements: readonly Measurement[], targets: readonly string[]): string[] {
  const others = targets.filter((target) => target !== baseline && target !== tunedBaseline);
  if (!targets.includes(tunedBaseline) || others.length === 0) return [];
  const lines = [
    '',
    `| ratio to ${tunedBaseline} | | ${others.join(' | ')} |`,
    `|---|---|${others.map(() => '--:|').join('')}`,
  ];
  for (const { name: scenario } of scenarios) {
    for (const figure of figures) {
      const base = valuesOf(measurements, { target: tunedBaseline, scenario, figure });
      const cells = others.map((target) => medianRatio(valuesOf(measurements, { target, scenario, figure }), base));
      lines.push(`| ${scenario} | ${figure.name} | ${cells.join(' | ')} |`);
    }
  }
  return lines;
}

interface Cell {
  readonly target: string;
  readonly scenario: string;
  readonly figure: (typeof figures)[number];
}

function formatCell(measurements: readonly Measurement[], cell: Cell): string {
  const values = valuesOf(measurements, cell);
  if (values.length === 0) return '–';
  const base = valuesOf(measurements, { ...cell, target: baseline });
  const value = format(median(values), cell.figure.digits);
  return base.length === 0 ? value : `${value} (${medianRatio(values, base)})`;
}

/** One of each round. */
function valuesOf(measurements: readonly Measurement[], { target, scenario, figure }: Cell): number[] {
  return measurements
    .filter((item) => item.target === target && item.scenario === scenario)
    .map((item) => item[figure.of]);
}

function medianRatio(values: readonly number[], base: readonly number[]): string {
  return median(values.map((each, round) => each / base[round]!)).toFixed(2);
}

function format(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
