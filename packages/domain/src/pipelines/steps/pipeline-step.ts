/** A model version as a step names it. The UUID alone identifies it; name and hash are checked against it. */
export interface ModelReference {
  readonly name: string;
  /** UUID of the model version. */
  readonly version: string;
  /** SHA-256 of its file, in hexadecimal. */
  readonly sha: string;
}

/**
 * The steps that the SDKs of both generations build. On the wire each is an object of one key, the kind, whose value
 * holds the rest: `{"ModelInference": {"models": […]}}`.
 */
export type PipelineStep =
  /** One model is run; several are run side by side on the same input, the first being the champion. */
  | { readonly kind: 'ModelInference'; readonly models: readonly ModelReference[] }
  /** Each row index goes to its own model. */
  | { readonly kind: 'RowsToModels'; readonly routes: readonly { rowIndex: number; model: ModelReference }[] }
  /** One model by the value of a metadata key, the control for values without a route. */
  | {
      readonly kind: 'MetaValueSplit';
      readonly splitKey: string;
      readonly control: ModelReference;
      readonly routes: ReadonlyMap<string, ModelReference>;
    }
  /** One model by chance in proportion to the weights; equal values of the hash key always get the same one. */
  | {
      readonly kind: 'RandomSplit';
      readonly hashKey: string | null;
      readonly weights: readonly { model: ModelReference; weight: number }[];
    }
  /** Logs the results from `from` up to `to` (null: the last) without answering them: shadow models. */
  | { readonly kind: 'AuditResults'; readonly from: number; readonly to: number | null }
  /** Validations, each the JSON text of an expression tree. */
  | { readonly kind: 'Check'; readonly tree: readonly string[] }
  | { readonly kind: 'Nth'; readonly index: number }
  | { readonly kind: 'MultiOut' }
  | { readonly kind: 'Average' }
  | { readonly kind: 'ColumnsSelect'; readonly columns: readonly number[] }
  | { readonly kind: 'ColumnsToRows' }
  | { readonly kind: 'InputDataToType'; readonly dataType: StepDataType };

/** Element types as the SDK names them. */
export const stepDataTypes = ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const;
export type StepDataType = (typeof stepDataTypes)[number];

export type PipelineStepKind = PipelineStep['kind'];

/** The models that a step runs, the champion or control first. */
export function modelsOf(step: PipelineStep): readonly ModelReference[] {
  switch (step.kind) {
    case 'ModelInference':
      return step.models;
    case 'RowsToModels':
      return step.routes.map((route) => route.model);
    case 'MetaValueSplit':
      return [step.control, ...step.routes.values()];
    case 'RandomSplit':
      return step.weights.map((choice) => choice.model);
    default:
      return [];
  }
}
