import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ForestNode, forestModel, treeEnsembleModel, writeOnnxModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelSession } from '../../model-session.ts';
import type { Feed } from '../../tensor-spec.ts';
import { OnnxSession } from '../onnx.ts';
import { withCompiledForest } from './forest-session.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pademelon-forest-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(model: Buffer): { onnx: ModelSession; session: ModelSession; path: string } {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, model);
  const onnx = new OnnxSession(path, { name: 'forest', threads: 1 });
  return { onnx, session: withCompiledForest(onnx, path), path };
}

const features = 5;

/** The same numbers at each call of the function that it gives. */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Numbers that a comparison could get wrong. */
const edges = [0, -0, 1, -1, 2 ** -149, -(2 ** -149), 3.402_823_4e38, -3.402_823_4e38, Infinity, -Infinity, 0.1, 1e-3];

/** Trees of random shape, from a single leaf to six levels. */
function randomTrees(modes: readonly string[], trees: number, random: () => number): ForestNode[] {
  const nodes: ForestNode[] = [];
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  for (let tree = 0; tree < trees; tree += 1) {
    let nextId = 1;
    const grow = (id: number, depth: number): void => {
      if (depth === 6 || random() < 0.1) {
        nodes.push({ tree, id, value: Math.fround((random() - 0.5) * 10 ** (tree % 7)) });
        return;
      }
      const [yes, no] = [nextId, nextId + 1];
      nextId += 2;
      const threshold = Math.fround(random() < 0.3 ? pick(edges) : random() * 10 - 5);
      nodes.push({ tree, id, mode: pick(modes), feature: Math.floor(random() * features), threshold, yes, no });
      grow(yes, depth + 1);
      grow(no, depth + 1);
    };
    grow(0, 0);
  }
  return nodes;
}

function feed(rowCount: number, value: () => number): Feed[] {
  const values = Float32Array.from({ length: rowCount * features }, value);
  return [{ type: 'float32', dims: [rowCount, features], values }];
}

const bitsOf = (session: ModelSession, feeds: Feed[], rowCount: number) => {
  const [column] = session.run(feeds, rowCount);
  const values = column!.values as Float32Array;
  return { ...column, values: [...new Int32Array(values.buffer, values.byteOffset, values.length)] };
};

describe('a compiled forest', () => {
  it.each([
    ['BRANCH_LEQ'],
    ['BRANCH_LT'],
    ['BRANCH_GT'],
    ['BRANCH_GTE'],
    ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GT', 'BRANCH_GTE'],
  ])('gives the very bits of ONNX Runtime for nodes of %s', (...modes) => {
    const random = randomness(7);
    for (let round = 0; round < 20; round += 1) {
      const nodes = randomTrees(modes, 1 + round * 5, random);
      const attributes = round % 2 === 0 ? [] : [{ name: 'base_values', floats: [random() * 1e5] }];
      const { onnx, session } = open(treeEnsembleModel({ features, nodes, attributes }));
      // By chance one of the first, of few trees, is too uneven.
      if (round > 2) expect(session, `round ${round}`).not.toBe(onnx);
      const thresholds = nodes.flatMap((node) => ('value' in node ? [] : [node.threshold]));
      const value = (): number => {
        const from = random() < 0.5 ? edges : thresholds;
        return random() < 0.3 ? random() * 10 - 5 : from[Math.floor(random() * from.length)]!;
      };
      for (const rowCount of [1, 2, 7, 8, 9, 100, 1000, 2001]) {
        const feeds = feed(rowCount, value);
        expect(bitsOf(session, feeds, rowCount), `${rowCount} rows`).toEqual(bitsOf(onnx, feeds, rowCount));
      }
    }
  });

  it('leaves rows with values that are no numbers to ONNX Runtime, which knows which way they go', () => {
    const nodes = randomTrees(['BRANCH_LEQ', 'BRANCH_GT'], 30, randomness(3));
    const missing = nodes.map((_, index) => index % 2);
    const attributes = [{ name: 'nodes_missing_value_tracks_true', ints: missing }];
    const { onnx, session } = open(treeEnsembleModel({ features, nodes, attributes }));
    expect(session).not.toBe(onnx);
    const random = randomness(4);
    const feeds = feed(50, () => (random() < 0.3 ? Number.NaN : random()));
    expect(bitsOf(session, feeds, 50)).toEqual(bitsOf(onnx, feeds, 50));
  });

  it('has the signature of its model', () => {
    const { onnx, session } = open(forestModel({ features, trees: 3, depth: 2 }));
    expect(session).not.toBe(onnx);
    expect(session.signature).toBe(onnx.signature);
  });

  it('is not used when it would give anything else than ONNX Runtime', () => {
    const { onnx, path } = open(forestModel({ features, trees: 3, depth: 2 }));
    let bit = 0;
    const wrong: ModelSession = {
      signature: onnx.signature,
      run: (feeds, rowCount) => {
        const [column] = onnx.run(feeds, rowCount);
        const values = Float32Array.from(column!.values as Float32Array);
        new Int32Array(values.buffer)[17]! ^= bit;
        return [{ ...column!, values }];
      },
    };
    expect(withCompiledForest(wrong, path)).not.toBe(wrong);
    bit = 1;
    expect(withCompiledForest(wrong, path)).toBe(wrong);
  });
});

describe('left to ONNX Runtime', () => {
  const nodes = randomTrees(['BRANCH_LEQ'], 5, randomness(1));
  const chain = Array.from({ length: 41 }, (_, id): ForestNode => {
    if (id % 2 === 1 || id === 40) return { tree: 0, id, value: id };
    return { tree: 0, id, mode: 'BRANCH_LEQ', feature: 0, threshold: id, yes: id + 1, no: id + 2 };
  });
  const identity = { op: 'Identity', inputs: ['x'], outputs: ['y'] };
  const shape = ['N', features];
  it.each([
    ['nodes of another kind', treeEnsembleModel({ features, nodes: randomTrees(['BRANCH_EQ'], 5, randomness(1)) })],
    ['several targets', treeEnsembleModel({ features, nodes, targets: 2 })],
    [
      'an average',
      treeEnsembleModel({ features, nodes, attributes: [{ name: 'aggregate_function', string: 'AVERAGE' }] }),
    ],
    [
      'a transformed sum',
      treeEnsembleModel({ features, nodes, attributes: [{ name: 'post_transform', string: 'PROBIT' }] }),
    ],
    ['very wide rows', treeEnsembleModel({ features: 2 ** 26, nodes })],
    ['a tree that is a chain', treeEnsembleModel({ features, nodes: chain })],
    [
      'a model of another kind',
      writeOnnxModel({ graph: { nodes: [identity], inputs: [{ name: 'x', shape }], outputs: [{ name: 'y', shape }] } }),
    ],
  ])('%s', (_, model) => {
    const { onnx, session } = open(model);
    expect(session).toBe(onnx);
  });

  it('unlike the same trees without it', () => {
    const { onnx, session } = open(treeEnsembleModel({ features, nodes }));
    expect(session).not.toBe(onnx);
  });
});
