import { type OnnxAttribute, writeOnnxModel } from './onnx-writer.ts';

export interface ForestOptions {
  /** Inputs a row: the model takes `float_input` float32 [N, features]. */
  readonly features: number;
  readonly trees: number;
  readonly depth: number;
}

/** A regression forest of full binary trees with fixed splits: `float_input` → `variable` float32 [N, 1]. */
export function forestModel({ features, trees, depth }: ForestOptions): Buffer {
  const inner = 2 ** depth - 1;
  const size = 2 ** (depth + 1) - 1;
  const nodes = Array.from({ length: trees * size }, (_, index): ForestNode => {
    const id = index % size;
    const tree = Math.floor(index / size);
    if (id >= inner) return { tree, id, value: 1000 + ((tree * 13 + id * 29) % 997) };
    const split = { feature: (tree * 7 + id) % features, threshold: (tree * 37 + id * 11) % 100 };
    return { tree, id, mode: 'BRANCH_LEQ', ...split, yes: 2 * id + 1, no: 2 * id + 2 };
  });
  return treeEnsembleModel({ features, nodes });
}

/** A leaf has a value; another node compares a feature with its threshold and goes on at the node `yes` or `no`. */
export type ForestNode = { readonly tree: number; readonly id: number } & (
  | { readonly value: number }
  | {
      readonly mode: string;
      readonly feature: number;
      readonly threshold: number;
      readonly yes: number;
      readonly no: number;
    }
);

export interface TreeEnsembleOptions {
  readonly features: number;
  /** The first of each tree is its root. */
  readonly nodes: readonly ForestNode[];
  readonly targets?: number;
  /** Further attributes of the operator. */
  readonly attributes?: readonly OnnxAttribute[];
}

/** `float_input` float32 [N, features] → `variable` float32 [N, targets], the sum of the trees' values. */
export function treeEnsembleModel({ features, nodes, targets = 1, attributes = [] }: TreeEnsembleOptions): Buffer {
  const leaves = nodes.filter((node) => 'value' in node);
  const splits = nodes.map((node) =>
    'value' in node ? { mode: 'LEAF', feature: 0, threshold: 0, yes: 0, no: 0 } : node,
  );
  return writeOnnxModel({
    opsets: { '': 17, 'ai.onnx.ml': 1 },
    graph: {
      inputs: [{ name: 'float_input', shape: ['N', features] }],
      outputs: [{ name: 'variable', shape: ['N', targets] }],
      nodes: [
        {
          op: 'TreeEnsembleRegressor',
          domain: 'ai.onnx.ml',
          inputs: ['float_input'],
          outputs: ['variable'],
          attributes: [
            { name: 'n_targets', int: targets },
            { name: 'nodes_treeids', ints: nodes.map(({ tree }) => tree) },
            { name: 'nodes_nodeids', ints: nodes.map(({ id }) => id) },
            { name: 'nodes_modes', strings: splits.map(({ mode }) => mode) },
            { name: 'nodes_featureids', ints: splits.map(({ feature }) => feature) },
            { name: 'nodes_values', floats: splits.map(({ threshold }) => threshold) },
            { name: 'nodes_truenodeids', ints: splits.map(({ yes }) => yes) },
            { name: 'nodes_falsenodeids', ints: splits.map(({ no }) => no) },
            { name: 'target_treeids', ints: leaves.map(({ tree }) => tree) },
            { name: 'target_nodeids', ints: leaves.map(({ id }) => id) },
            { name: 'target_ids', ints: leaves.map((_, index) => index % targets) },
            { name: 'target_weights', floats: leaves.map(({ value }) => value) },
            ...attributes,
          ],
        },
      ],
    },
  });
}
