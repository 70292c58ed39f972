/** Element types that models may have at their inputs and outputs, in the words of the ONNX documents. */
export const elementTypes = [
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
] as const;
export type ElementType = (typeof elementTypes)[number];

export interface TensorDeclaration {
  readonly name: string;
  readonly type: ElementType;
  /** Fixed dimensions as numbers, symbolic ones by their name, open ones as null; null when even the rank is open. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** What a model takes and gives, in the order in which the file declares it. */
export interface ModelSignature {
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
}

/** What the platform wants to know of a model file before any runtime opens it. */
export interface ModelInspection {
  readonly signature: ModelSignature;
  /** Operator set version by domain; the standard domain is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly irVersion: number;
  /** Operators in all graphs and functions of the file. */
  readonly nodeCount: number;
}

/** `reason` is a sentence for the user who uploaded the file. */
export type ModelVerdict =
  | { readonly isAccepted: true; readonly inspection: ModelInspection }
  | { readonly isAccepted: false; readonly reason: string };

/** Judges the script of a Python step without running any of it. */
export interface ScriptInspector {
  /**
   * Throws `model_rejected`, `invalid_archive`, `invalid_input` or `too_large`, with the reason, for what can never be
   * run. `requirements` are the lines that came beside the file.
   */
  inspect(path: string, fileName: string, requirements: readonly string[]): Promise<void>;
}

/** Judges a file without running or loading any of it. */
export interface ModelInspector {
  inspect(path: string): Promise<ModelVerdict>;
}
