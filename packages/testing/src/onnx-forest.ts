import { writeOnnxModel } from './onnx-writer.ts';

export interface ForestOptions {
  /** Inputs a row: the model takes `float_input` float32 [N, features]. */
  readonly features: number;
  readonly trees: number;
  readonly depth: number;
}

/** A regression forest of full binary trees with fixed splits: `float_input` → `variable` float32 [N, 1]. */
export function forestModel({ features, trees, depth }: ForestOptions): Buffer {
  const inner = 2 ** depth - 1;
  const nodes = Array.from({ length: trees * (2 ** (depth + 1) - 1) }, (_, index) => {
    const size = 2 ** (depth + 1) - 1;
    const id = index % size;
    return { tree: Math.floor(index / size), id, isLeaf: id >= inner };
  });
  const of = <T>(pick: (node: (typeof nodes)[number]) => T): T[] => nodes.map(pick);
  const leaves = nodes.filter(({ isLeaf }) => isLeaf);
  return writeOnnxModel({
    opsets: { '': 17, 'ai.onnx.ml': 1 },
    graph: {
      inputs: [{ name: 'float_input', shape: ['N', features] }],
      outputs: [{ name: 'variable', shape: ['N', 1] }],
      nodes: [
        {
          op: 'TreeEnsembleRegressor',
          domain: 'ai.onnx.ml',
          inputs: ['float_input'],
          outputs: ['variable'],
          attributes: [
            { name: 'n_targets', int: 1 },
            { name: 'nodes_treeids', ints: of(({ tree }) => tree) },
            { name: 'nodes_nodeids', ints: of(({ id }) => id) },
            { name: 'nodes_modes', strings: of(({ isLeaf }) => (isLeaf ? 'LEAF' : 'BRANCH_LEQ')) },
            { name: 'nodes_featureids', ints: of(({ tree, id, isLeaf }) => (isLeaf ? 0 : (tree * 7 + id) % features)) },
            { name: 'nodes_values', floats: of(({ tree, id, isLeaf }) => (isLeaf ? 0 : (tree * 37 + id * 11) % 100)) },
            { name: 'nodes_truenodeids', ints: of(({ id, isLeaf }) => (isLeaf ? 0 : 2 * id + 1)) },
            { name: 'nodes_falsenodeids', ints: of(({ id, isLeaf }) => (isLeaf ? 0 : 2 * id + 2)) },
            { name: 'target_treeids', ints: leaves.map(({ tree }) => tree) },
            { name: 'target_nodeids', ints: leaves.map(({ id }) => id) },
            { name: 'target_ids', ints: leaves.map(() => 0) },
            { name: 'target_weights', floats: leaves.map(({ tree, id }) => 1000 + ((tree * 13 + id * 29) % 997)) },
          ],
        },
      ],
    },
  });
}
