/** Beyond these a file is taken for hostile or broken. Real models stay far below them. */
export const limits = {
  /** Protobuf cannot hold more in one message. */
  fileBytes: 2 ** 31 - 1,
  nodes: 100_000,
  /** Nodes after every call of a function is replaced by its body. */
  expandedNodes: 1_000_000,
  initializers: 100_000,
  functions: 5_000,
  /** Functions that call functions that call … */
  functionDepth: 64,
  /** Inputs and outputs of the model, each. */
  ports: 1_000,
  opsetImports: 100,
  nameBytes: 4096,
  /** Dimensions of one tensor. */
  rank: 32,
  /** Elements of one tensor that are not in the file: a sparse weight made dense, one row of an input. */
  elements: 2 ** 28,
  /** Graphs inside operators of graphs. Protobuf's own limit of 100 nested messages allows no more. */
  subgraphDepth: 31,
  /** Nested messages of any kind, as in protobuf's own readers. */
  messageDepth: 100,
  /** Fields that are looked at, which bounds the time: a few seconds. */
  fields: 100_000_000,
} as const;

/** The newest versions that ONNX Runtime 1.30 takes. */
export const newestIrVersion = 13;
export const newestOpsets: Readonly<Record<string, number>> = {
  'ai.onnx': 26,
  'ai.onnx.ml': 5,
  'com.microsoft': 1,
  'com.microsoft.nchwc': 1,
};
