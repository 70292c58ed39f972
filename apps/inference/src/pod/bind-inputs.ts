import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { convertValues } from './convert-values.ts';
import type { InputHint } from './input-batch.ts';
import type { LoadedModel } from './model-registry.ts';
import { fits, misfit, resolveShape } from './row-shape.ts';
import type { Feed, TensorSpec } from './tensor-spec.ts';

/** The column name that reaches any model with one input, whatever that input is called. */
const anyInput = 'tensor';

/**
 * Names under which a column reaches an input, the strongest first: the name configured for its position, the model's
 * own, and `tensor` where there is only one input.
 */
export function acceptedNames(model: LoadedModel, index: number): string[] {
  const { inputs } = model.session.signature;
  const configured = model.tensorFields?.[index];
  const names = configured === undefined ? [] : [configured];
  names.push(inputs[index]!.name);
  if (inputs.length === 1) names.push(anyInput);
  return [...new Set(names)];
}

/** How request columns that this model takes are to be read. */
export function inputHints(model: LoadedModel): Map<string, InputHint> {
  const hints = new Map<string, InputHint>();
  model.session.signature.inputs.forEach(({ type, rowShape }, index) => {
    for (const name of acceptedNames(model, index)) if (!hints.has(name)) hints.set(name, { type, rowShape });
  });
  return hints;
}

/** Finds the column for each input, checks its shape and converts its values to the input's type. */
export class InputBinding {
  readonly #model: LoadedModel;
  /** For each input the column names that reach it, the strongest first. */
  readonly names: readonly (readonly string[])[];

  /** `sharedNames`: those of a model with as many inputs that gets the same data; they reach this one too. */
  constructor(model: LoadedModel, sharedNames: readonly (readonly string[])[] = []) {
    this.#model = model;
    const { inputs } = model.session.signature;
    const shared = sharedNames.length === inputs.length ? sharedNames : [];
    this.names = inputs.map((_, index) => [...new Set([...acceptedNames(model, index), ...(shared[index] ?? [])])]);
  }

  /** `isChained`: the columns are a step's outputs, which may also reach the inputs by position. */
  bind(columns: readonly Column[], rowCount: number, isChained: boolean): Feed[] {
    return this.#model.session.signature.inputs.map((input, index) => {
      const column = this.#find(columns, index, isChained);
      if (column.offsets !== undefined) throw raggedColumn(column);
      if (!fits(column.rowShape, input.rowShape)) {
        throw misfit({ row: 0, column: column.name }, column.rowShape, input.rowShape);
      }
      return toFeed(column, input, rowCount);
    });
  }

  #find(columns: readonly Column[], index: number, isChained: boolean): Column {
    for (const name of this.names[index]!) {
      const column = columns.find((candidate) => candidate.name === name);
      if (column !== undefined) return column;
    }
    if (isChained && columns.length === this.names.length) return columns[index]!;
    const wanted = this.names[index]!.map((name) => JSON.stringify(name)).join(' or ');
    const found = columns.map((column) => JSON.stringify(column.name)).join(', ');
    throw new DomainError(
      'invalid_input',
      `Model ${JSON.stringify(this.#model.name)} needs a column named ${wanted}; row 0 has ${found || 'no columns'}.`,
    );
  }
}

function toFeed(column: Column, input: TensorSpec, rowCount: number): Feed {
  const values =
    column.type === input.type ? column.values : convertValues(column, input.type, column.values.length / rowCount);
  return { type: input.type, dims: [rowCount, ...resolveShape(column.rowShape, input.rowShape)], values };
}

/** Names the first row whose length differs from row 0's. */
function raggedColumn({ name, offsets }: Column): DomainError {
  const width = offsets![1]! - offsets![0]!;
  let row = 1;
  while (offsets![row + 1]! - offsets![row]! === width) row += 1;
  return new DomainError(
    'invalid_input',
    `Row ${row}, column ${JSON.stringify(name)}: ${offsets![row + 1]! - offsets![row]!} values, but row 0 has ${width}; all rows must have as many.`,
  );
}
