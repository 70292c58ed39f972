import type { Forest } from './read-forest.ts';

/** One node takes 16 bytes: threshold f32, feature's byte offset in a row i32, first child's index i32, value f32. */
export const nodeWords = 4;

/**
 * A forest in the form that the kernel walks. The two children of a node are neighbours, the one that is taken when the
 * row's value is not at most the threshold first. A leaf leads to itself, so that every row can take as many steps as
 * the tree is deep.
 */
export interface ForestTable {
  readonly nodeCount: number;
  /** `nodeWords` each; the words of both views are the same memory. */
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** For each tree, in the file's order, which is that of the sum: its root and its depth. */
  readonly trees: readonly { readonly root: number; readonly depth: number }[];
  readonly base: number;
}

/** Beyond these a forest is left to ONNX Runtime. */
const limits = { nodes: 500_000, depth: 64 } as const;

/**
 * Every row goes as deep as the deepest leaf, which is little more than it would otherwise where trees are about
 * balanced: their depth is at most this many times that of a full tree of as many leaves.
 */
const greatestImbalance = 3;

/** Null for a forest with anything in it that the kernel does not do. `features`: values of a row. */
export function layOutForest(forest: Forest, features: number): ForestTable | null {
  const nodeCount = forest.nodeIds.length;
  if (nodeCount === 0 || nodeCount > limits.nodes || !isWhole(forest)) return null;
  const layout = new ForestLayout(forest, features);
  return layout.isUnique && rootsOf(forest).every((root) => layout.addTree(root)) ? layout.table() : null;
}

/** A node that is still to be laid out, by its index in the file, and its place in the table. */
type Place = readonly [node: number, place: number];

class ForestLayout {
  readonly #forest: Forest;
  readonly #features: number;
  readonly #nodeCount: number;
  readonly #nodes: ReadonlyMap<number, number>;
  readonly #values: ReadonlyMap<number, number>;
  readonly #words: Int32Array;
  readonly #floats: Float32Array;
  readonly #trees: { root: number; depth: number }[] = [];
  #used = 0;
  #depths = 0;
  #balancedDepths = 0;

  constructor(forest: Forest, features: number) {
    this.#forest = forest;
    this.#features = features;
    const { treeIds, nodeIds, leafTreeIds, leafNodeIds, leafValues } = forest;
    this.#nodeCount = nodeIds.length;
    this.#nodes = new Map(nodeIds.map((id, index) => [keyOf(treeIds[index]!, id), index]));
    this.#values = new Map(leafValues.map((value, index) => [keyOf(leafTreeIds[index]!, leafNodeIds[index]!), value]));
    this.#words = new Int32Array(this.#nodeCount * nodeWords);
    this.#floats = new Float32Array(this.#words.buffer);
  }

  /** No node is there twice, and no leaf has two values. */
  get isUnique(): boolean {
    return this.#nodes.size === this.#nodeCount && this.#values.size === this.#forest.leafValues.length;
  }

  /** Lays a tree out level by level; false when it cannot be. */
  addTree(root: number): boolean {
    const at = this.#used;
    this.#used += 1;
    let level: Place[] = [[root, at]];
    let depth = -1;
    let leaves = 0;
    while (level.length > 0) {
      const next: Place[] = [];
      for (const [node, place] of level) {
        if (this.#forest.modes[node] === 'LEAF') {
          this.#putLeaf(node, place);
          leaves += 1;
        } else if (!this.#putSplit(node, place, next)) return false;
      }
      depth += 1;
      level = next;
      if (depth > limits.depth) return false;
    }
    this.#depths += depth;
    this.#balancedDepths += Math.ceil(Math.log2(leaves));
    this.#trees.push({ root: at, depth: Math.max(1, depth) });
    return true;
  }

  /** Null when nodes are left over, or when the trees are too far from balanced. */
  table(): ForestTable | null {
    if (this.#used !== this.#nodeCount || this.#depths > greatestImbalance * this.#balancedDepths) return null;
    const { base } = this.#forest;
    return { nodeCount: this.#nodeCount, words: this.#words, floats: this.#floats, trees: this.#trees, base };
  }

  #putLeaf(node: number, place: number): void {
    const { treeIds, nodeIds } = this.#forest;
    // Nothing is at most NaN: always the first child.
    this.#put(place, { threshold: Number.NaN, feature: 0, firstChild: place });
    this.#floats[place * nodeWords + 3] = this.#values.get(keyOf(treeIds[node]!, nodeIds[node]!)) ?? 0;
  }

  /** Puts the node and has its children laid out next. */
  #putSplit(node: number, place: number, next: Place[]): boolean {
    const { treeIds, modes, featureIds, thresholds, trueIds, falseIds } = this.#forest;
    const split = splitOf(modes[node]!, thresholds[node]!);
    const feature = featureIds[node]!;
    const children = [falseIds[node]!, trueIds[node]!].map((id) => this.#nodes.get(keyOf(treeIds[node]!, id)));
    if (split?.isTurned) children.reverse();
    const [first, second] = children;
    const hasFeature = feature >= 0 && feature < this.#features;
    // A node that is reached twice would need more room than there are nodes.
    if (split === null || !hasFeature || first === undefined || second === undefined) return false;
    if (this.#used + 2 > this.#nodeCount) return false;
    this.#put(place, { threshold: split.threshold, feature, firstChild: this.#used });
    next.push([first, this.#used], [second, this.#used + 1]);
    this.#used += 2;
    return true;
  }

  #put(place: number, node: { threshold: number; feature: number; firstChild: number }): void {
    const word = place * nodeWords;
    this.#floats[word] = node.threshold;
    this.#words[word + 1] = node.feature * 4;
    this.#words[word + 2] = node.firstChild;
  }
}

/** As many entries in each list as there are nodes. */
function isWhole({ nodeIds, ...forest }: Forest): boolean {
  const { treeIds, modes, featureIds, thresholds, trueIds, falseIds, leafTreeIds, leafNodeIds, leafValues } = forest;
  const ofNodes = [treeIds, modes, featureIds, thresholds, trueIds, falseIds];
  const ofLeaves = [leafNodeIds, leafValues];
  return (
    ofNodes.every(({ length }) => length === nodeIds.length) &&
    ofLeaves.every(({ length }) => length === leafTreeIds.length)
  );
}

/** ONNX Runtime takes the first node of a tree in the file for its root. */
function rootsOf({ treeIds }: Forest): number[] {
  const seen = new Set<number>();
  return treeIds.flatMap((tree, index) => {
    if (seen.has(tree)) return [];
    seen.add(tree);
    return [index];
  });
}

/** Ids beyond what real files have may come to one key; such a forest counts as one with something twice. */
function keyOf(tree: number, node: number): number {
  return tree * 2 ** 31 + node;
}

/**
 * The comparison as "at most the threshold", the only one that the kernel makes; turned, its outcome is the opposite.
 * Null for one that cannot be told so. For numbers only: what is not a number is not compared here.
 */
function splitOf(mode: string, threshold: number): { threshold: number; isTurned: boolean } | null {
  switch (mode) {
    case 'BRANCH_LEQ':
      return { threshold, isTurned: false };
    case 'BRANCH_LT':
      return { threshold: floatBefore(threshold), isTurned: false };
    case 'BRANCH_GT':
      return { threshold, isTurned: true };
    case 'BRANCH_GTE':
      return { threshold: floatBefore(threshold), isTurned: true };
    default:
      return null;
  }
}

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** The greatest float32 below; NaN, than which nothing is less, below negative infinity. */
export function floatBefore(value: number): number {
  scratch[0] = value;
  if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY) return Number.NaN;
  if (value === 0) return -(2 ** -149);
  scratchBits[0]! += value > 0 ? -1 : 1;
  return scratch[0]!;
}
