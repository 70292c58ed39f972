import { type ForestTable, nodeWords } from './forest-table.ts';
import { createForestKernel, type ForestKernel, wideRows } from './kernel.ts';

const nodeBytes = nodeWords * 4;
const treeBytes = 8;
/** Rows that are walked through the whole forest before the next ones: as many as stay in a core's nearest cache. */
const blockBytes = 16 * 1024;

/** A forest that is ready to be walked: a sum of float32 in the order of the trees, as ONNX Runtime makes it. */
export class CompiledForest {
  readonly #kernel: ForestKernel;
  readonly #floats: Float32Array;
  readonly #features: number;
  readonly #base: number;
  readonly #blockRows: number;
  /** Addresses. */
  readonly #trees: number;
  /** Where the trees end and the rows of a block begin. */
  readonly #rows: number;
  readonly #sums: number;

  /** `features`: values of a row. */
  constructor({ nodeCount, words, trees, base }: ForestTable, features: number) {
    this.#features = features;
    this.#base = base;
    const blocksOfWide = Math.floor(blockBytes / (wideRows * features * 4));
    this.#blockRows = Math.max(1, blocksOfWide) * wideRows;
    this.#trees = nodeCount * nodeBytes;
    this.#rows = this.#trees + trees.length * treeBytes;
    this.#sums = this.#rows + this.#blockRows * features * 4;
    this.#kernel = createForestKernel(this.#sums + this.#blockRows * 4);
    const { buffer } = this.#kernel.memory;
    this.#floats = new Float32Array(buffer);
    const memory = new Int32Array(buffer);
    memory.set(words);
    for (let node = 0; node < nodeCount; node += 1) memory[node * nodeWords + 2]! *= nodeBytes;
    const pairs = trees.flatMap(({ root, depth }) => [root * nodeBytes, depth]);
    memory.set(pairs, this.#trees / 4);
  }

  /** One number for each row of `values`, none of which is NaN. */
  run(values: Float32Array, rowCount: number): Float32Array {
    const results = new Float32Array(rowCount);
    for (let row = 0; row < rowCount; row += this.#blockRows) {
      this.#runBlock(values, row, Math.min(this.#blockRows, rowCount - row), results);
    }
    return results;
  }

  #runBlock(values: Float32Array, row: number, count: number, results: Float32Array): void {
    const floats = this.#floats;
    const rowWords = this.#features;
    const sums = this.#sums / 4;
    floats.set(values.subarray(row * rowWords, (row + count) * rowWords), this.#rows / 4);
    floats.fill(0, sums, sums + count);
    const wide = count - (count % wideRows);
    if (wide > 0) this.#walk(this.#kernel.walkWide, 0, wide);
    if (wide < count) this.#walk(this.#kernel.walk, wide, count);
    const base = this.#base;
    for (let index = 0; index < count; index += 1) results[row + index] = floats[sums + index]! + base;
  }

  #walk(walk: ForestKernel['walk'], from: number, to: number): void {
    const rowBytes = this.#features * 4;
    const rows = this.#rows + from * rowBytes;
    walk(this.#trees, this.#rows, rows, this.#rows + to * rowBytes, rowBytes, this.#sums + from * 4);
  }
}
