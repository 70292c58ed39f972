/*
 * The WebAssembly that walks a forest, put together here: a function of a few dozen instructions, the innermost of them
 * repeated for each row that is walked at once. Rows at once hide from one another how long each waits for its next
 * node, and nothing in it is a branch that could be guessed wrong. See docs/decisions/0026.
 */

// TypeScript has these among the types of browsers only.
declare global {
  namespace WebAssembly {
    class Memory {
      constructor(size: { initial: number });
      readonly buffer: ArrayBuffer;
    }
    class Module {
      constructor(bytes: Uint8Array<ArrayBuffer>);
    }
    class Instance {
      constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>);
      readonly exports: Readonly<Record<string, unknown>>;
    }
  }
}

/** Adds the value of each tree for each row to `sums`; every address is in bytes. */
export type WalkForest = (
  trees: number,
  treesEnd: number,
  rows: number,
  rowsEnd: number,
  rowBytes: number,
  sums: number,
) => void;

/** Rows that the wide walk takes at once. */
export const wideRows = 8;

export interface ForestKernel {
  readonly memory: WebAssembly.Memory;
  /** For a multiple of `wideRows` rows, at least one. */
  readonly walkWide: WalkForest;
  /** For any number of rows, at least one. */
  readonly walk: WalkForest;
}

let module: WebAssembly.Module | null = null;

/** `trees` are pairs of words: the root's address and the tree's depth, at least 1. Nodes are as in `ForestTable`, with addresses. */
export function createForestKernel(bytes: number): ForestKernel {
  module ??= new WebAssembly.Module(assemble());
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
  const { exports } = new WebAssembly.Instance(module, { pod: { memory } });
  return { memory, walkWide: exports['walkWide'] as WalkForest, walk: exports['walk'] as WalkForest };
}

const pageBytes = 65_536;

type Code = readonly number[];

// https://webassembly.github.io/spec/core/binary/instructions.html
const i32 = 0x7f;
const loop: Code = [0x03, 0x40];
const end: Code = [0x0b];
const repeatIf: Code = [0x0d, 0];
const add: Code = [0x6a];
const subtract: Code = [0x6b];
const isBelow: Code = [0x49];
const shiftLeft: Code = [0x74];
const isAtMostF32: Code = [0x5f];
const addF32: Code = [0x92];
const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const setAndGet = (local: number): Code => [0x22, ...unsigned(local)];
const constant = (value: number): Code => [0x41, ...signed(value)];
const load = (offset: number): Code => [0x28, 2, ...unsigned(offset)];
const loadF32 = (offset: number): Code => [0x2a, 2, ...unsigned(offset)];
const storeF32 = (offset: number): Code => [0x38, 2, ...unsigned(offset)];

/** Byte offsets in a node; a child is `nodeShift` bits' worth of bytes from its neighbour. */
const node = { threshold: 0, feature: 4, children: 8, value: 12 } as const;
const nodeShift = 4;

/** The body of a walk that takes `width` rows at once. */
function walkBody(width: number): Code {
  const [trees, treesEnd, rows, rowsEnd, rowBytes, sums] = [0, 1, 2, 3, 4, 5];
  const [root, depth, firstRow, sum, steps] = [6, 7, 8, 9, 10];
  const lanes = Array.from({ length: width }, (_, lane) => ({ lane, at: 11 + lane, row: 11 + width + lane }));

  const begin = lanes.flatMap(({ lane, at, row }) => [
    ...get(root),
    ...set(at),
    ...(lane === 0 ? get(firstRow) : [...get(row - 1), ...get(rowBytes), ...add]),
    ...set(row),
  ]);
  const step = lanes.flatMap(({ at, row }) => [
    ...get(at),
    ...load(node.children),
    // The row's value of the node's feature, against the threshold.
    ...[...get(row), ...get(at), ...load(node.feature), ...add, ...loadF32(0)],
    ...[...get(at), ...loadF32(node.threshold), ...isAtMostF32],
    ...[...constant(nodeShift), ...shiftLeft, ...add],
    ...set(at),
  ]);
  const finish = lanes.flatMap(({ lane, at }) => [
    ...get(sum),
    ...[...get(sum), ...loadF32(4 * lane), ...get(at), ...loadF32(node.value), ...addF32],
    ...storeF32(4 * lane),
  ]);
  const body = [
    ...loop,
    ...[...get(trees), ...load(0), ...set(root), ...get(trees), ...load(4), ...set(depth)],
    ...[...get(rows), ...set(firstRow), ...get(sums), ...set(sum)],
    ...loop,
    ...[...begin, ...get(depth), ...set(steps)],
    ...[...loop, ...step, ...get(steps), ...constant(1), ...subtract, ...setAndGet(steps), ...repeatIf, ...end],
    ...finish,
    ...[...get(sum), ...constant(4 * width), ...add, ...set(sum)],
    ...[...get(lanes.at(-1)!.row), ...get(rowBytes), ...add, ...setAndGet(firstRow), ...get(rowsEnd), ...isBelow],
    ...[...repeatIf, ...end],
    ...[...get(trees), ...constant(8), ...add, ...setAndGet(trees), ...get(treesEnd), ...isBelow],
    ...[...repeatIf, ...end],
    ...end,
  ];
  const locals = vector([[...unsigned(5 + 2 * width), i32]]);
  return [...locals, ...body];
}

// https://webassembly.github.io/spec/core/binary/modules.html
function assemble(): Uint8Array<ArrayBuffer> {
  const functionType = [0x60, ...vector(Array.from({ length: 6 }, () => [i32])), ...vector([])];
  const importedMemory = [...name('pod'), ...name('memory'), 0x02, 0x00, 0x01];
  const bodies = [walkBody(wideRows), walkBody(1)].map((body) => [...unsigned(body.length), ...body]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([functionType])),
    ...section(2, vector([importedMemory])),
    ...section(3, vector([[0], [0]])),
    ...section(
      7,
      vector([
        [...name('walkWide'), 0x00, 0],
        [...name('walk'), 0x00, 1],
      ]),
    ),
    ...section(10, vector(bodies)),
  ]);
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): Code {
  return [...unsigned(text.length), ...Buffer.from(text)];
}

/** LEB128, as WebAssembly writes its numbers. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
