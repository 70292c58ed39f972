import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Column } from '@pademelon/contracts';
import type { ModelSession } from '../../model-session.ts';
import { type Feed, rowWidth } from '../../tensor-spec.ts';
import { CompiledForest } from './compiled-forest.ts';
import { type ForestTable, floatBefore, layOutForest, nodeWords } from './forest-table.ts';
import { readForest } from './read-forest.ts';

/** A forest of as many nodes as are taken here is smaller. */
const greatestFileBytes = 32 * 1024 * 1024;
/** Where a forest's operator has been named by, before its long lists begin. */
const headBytes = 64 * 1024;
/** Some rows are in the kernel's memory at once. */
const greatestFeatures = 10_000;
const trialRows = 256;

/**
 * A forest walked by our own kernel, several times as fast as ONNX Runtime, which loaded the model and keeps it: rows
 * with NaN in them go there. See docs/decisions/0026.
 */
class ForestSession implements ModelSession {
  readonly signature: ModelSession['signature'];
  readonly #session: ModelSession;
  readonly #forest: CompiledForest;
  readonly #output: Pick<Column, 'name' | 'type' | 'rowShape'>;

  constructor(session: ModelSession, forest: CompiledForest, output: Column) {
    this.signature = session.signature;
    this.#session = session;
    this.#forest = forest;
    this.#output = { name: output.name, type: output.type, rowShape: output.rowShape };
  }

  run(feeds: readonly Feed[], rowCount: number): Column[] {
    const values = feeds[0]!.values as Float32Array;
    if (hasNaN(values)) return this.#session.run(feeds, rowCount);
    return [{ ...this.#output, values: this.#forest.run(values, rowCount) }];
  }
}

/**
 * The session itself, or a faster one for the same model, which is of a file that may be a forest. A forest is taken only
 * when it gives, bit by bit, what ONNX Runtime gives for rows that lie on and beside the forest's thresholds.
 */
export function withCompiledForest(session: ModelSession, path: string): ModelSession {
  const { inputs, outputs, fixedBatch } = session.signature;
  const [input] = inputs;
  if (inputs.length !== 1 || outputs.length !== 1 || fixedBatch !== null) return session;
  if (input!.type !== 'float32' || input!.rowShape.length !== 1 || outputs[0]!.type !== 'float32') return session;
  const features = rowWidth(input!.rowShape);
  if (features === null || features === 0 || features > greatestFeatures) return session;
  const forest = readForest(readFileSync(path));
  const table = forest === null ? null : layOutForest(forest, features);
  if (table === null) return session;
  const compiled = new CompiledForest(table, features);
  const values = trialValues(table, features);
  const [expected] = session.run([{ type: 'float32', dims: [trialRows, features], values }], trialRows);
  const found = compiled.run(values, trialRows);
  return areSameBits(found, expected!.values as Float32Array)
    ? new ForestSession(session, compiled, expected!)
    : session;
}

/** Most models are something else, and large: they are not read for nothing. */
export function mayBeForest(path: string): boolean {
  if (statSync(path).size > greatestFileBytes) return false;
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(headBytes);
    return head.subarray(0, readSync(file, head)).includes('TreeEnsembleRegressor');
  } finally {
    closeSync(file);
  }
}

/** Rows of numbers that nodes compare their feature with, and of the numbers just below and above. */
function trialValues({ words, floats, nodeCount }: ForestTable, features: number): Float32Array {
  const thresholds = Array.from({ length: features }, (): number[] => [0]);
  for (let node = 0; node < nodeCount; node += 1) {
    const threshold = floats[node * nodeWords]!;
    const ofFeature = thresholds[words[node * nodeWords + 1]! / 4]!;
    ofFeature.push(threshold, floatBefore(threshold), -floatBefore(-threshold));
  }
  // The same in every pod.
  let seed = 1;
  return Float32Array.from({ length: trialRows * features }, (_, index) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const choices = thresholds[index % features]!;
    const choice = choices[Math.floor((seed / 2 ** 32) * choices.length)]!;
    return Number.isFinite(choice) ? choice : 0;
  });
}

function areSameBits(left: Float32Array, right: Float32Array): boolean {
  return left.length === right.length && left.every((value, index) => Object.is(value, right[index]));
}

function hasNaN(values: Float32Array): boolean {
  // Taken once: V8 calls a function for each time.
  const { length } = values;
  for (let index = 0; index < length; index += 1) {
    const value = values[index]!;
    // biome-ignore lint/suspicious/noSelfCompare: what NaN alone is; a call for each value would take twice as long.
    if (value !== value) return true;
  }
  return false;
}
