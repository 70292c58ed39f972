import { PbfReader } from 'pbf';

/** A forest for one number as its model file tells it: lists with an entry for each node, and for each leaf's value. */
export interface Forest {
  readonly treeIds: readonly number[];
  readonly nodeIds: readonly number[];
  readonly modes: readonly string[];
  readonly featureIds: readonly number[];
  readonly thresholds: readonly number[];
  readonly trueIds: readonly number[];
  readonly falseIds: readonly number[];
  readonly leafTreeIds: readonly number[];
  readonly leafNodeIds: readonly number[];
  readonly leafValues: readonly number[];
  /** Added to the sum of the trees. */
  readonly base: number;
}

/**
 * The forest in a model that is one TreeEnsembleRegressor for one number and nothing else; null for every other model.
 * `model` has been loaded by ONNX Runtime, so it is known to be well formed.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html
 */
export function readForest(model: Uint8Array): Forest | null {
  const graph = new PbfReader(model).readFields<Graph>(readModel, { nodes: [], hasWeights: false });
  const [node, ...others] = graph.nodes;
  const isAlone = node !== undefined && others.length === 0 && !graph.hasWeights;
  if (!isAlone || node.operator !== 'TreeEnsembleRegressor' || node.domain !== 'ai.onnx.ml') return null;
  if (node.inputs.length !== 1 || node.outputs.length !== 1) return null;
  const { attributes } = node;
  if ([...attributes.keys()].some((name) => !knownAttributes.has(name))) return null;
  const attribute = (name: string): Attribute => attributes.get(name) ?? newAttribute();
  const { ints: targets } = attribute('target_ids');
  if (attribute('n_targets').int !== 1 || targets.some((target) => target !== 0)) return null;
  if ((attribute('aggregate_function').text || 'SUM') !== 'SUM') return null;
  if ((attribute('post_transform').text || 'NONE') !== 'NONE') return null;
  const [base = 0, ...moreBases] = attribute('base_values').floats;
  if (moreBases.length > 0) return null;
  return {
    treeIds: attribute('nodes_treeids').ints,
    nodeIds: attribute('nodes_nodeids').ints,
    modes: attribute('nodes_modes').texts,
    featureIds: attribute('nodes_featureids').ints,
    thresholds: attribute('nodes_values').floats,
    trueIds: attribute('nodes_truenodeids').ints,
    falseIds: attribute('nodes_falsenodeids').ints,
    leafTreeIds: attribute('target_treeids').ints,
    leafNodeIds: attribute('target_nodeids').ints,
    leafValues: attribute('target_weights').floats,
    base,
  };
}

/**
 * The attributes that are understood here. Hit rates are hints and change nothing; which way a missing value goes does not
 * matter, because rows with one are left to ONNX Runtime.
 */
const knownAttributes = new Set([
  ...['n_targets', 'aggregate_function', 'post_transform', 'base_values'],
  ...['nodes_treeids', 'nodes_nodeids', 'nodes_modes', 'nodes_featureids', 'nodes_values', 'nodes_truenodeids'],
  ...['nodes_falsenodeids', 'nodes_hitrates', 'nodes_missing_value_tracks_true'],
  ...['target_treeids', 'target_nodeids', 'target_ids', 'target_weights'],
]);

interface Graph {
  readonly nodes: Node[];
  hasWeights: boolean;
}

interface Node {
  readonly inputs: string[];
  readonly outputs: string[];
  operator: string;
  domain: string;
  readonly attributes: Map<string, Attribute>;
}

interface Attribute {
  name: string;
  int: number;
  text: string;
  readonly floats: number[];
  readonly ints: number[];
  readonly texts: string[];
}

function newAttribute(): Attribute {
  return { name: '', int: 0, text: '', floats: [], ints: [], texts: [] };
}

// Fields by the numbers that onnx.proto gives them.

function readModel(field: number, graph: Graph, file: PbfReader): void {
  if (field === 7) file.readMessage(readGraph, graph);
}

function readGraph(field: number, graph: Graph, file: PbfReader): void {
  // Only one node is of interest; where there are more, they need not be looked at.
  if (field === 1 && graph.nodes.length < 2) {
    const node: Node = { inputs: [], outputs: [], operator: '', domain: '', attributes: new Map() };
    graph.nodes.push(file.readMessage(readNode, node));
  }
  if (field === 5 || field === 15) graph.hasWeights = true;
}

function readNode(field: number, node: Node, file: PbfReader): void {
  if (field === 1) node.inputs.push(file.readString());
  if (field === 2) node.outputs.push(file.readString());
  if (field === 4) node.operator = file.readString();
  if (field === 7) node.domain = file.readString();
  if (field === 5) {
    const attribute = file.readMessage(readAttribute, newAttribute());
    node.attributes.set(attribute.name, attribute);
  }
}

function readAttribute(field: number, attribute: Attribute, file: PbfReader): void {
  if (field === 1) attribute.name = file.readString();
  if (field === 3) attribute.int = file.readVarint(true);
  if (field === 4) attribute.text = file.readString();
  if (field === 7) file.readPackedFloat(attribute.floats);
  if (field === 8) file.readPackedVarint(attribute.ints, true);
  if (field === 9) attribute.texts.push(file.readString());
}
