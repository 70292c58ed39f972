import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { type InstrumentTree, instrumentText } from '@pademelon/domain/expressions';
import type { CheckedRows, ModelStepRun } from './checked-rows.ts';

type Variable = Extract<InstrumentTree, { kind: 'variable' }>;

/** Which of the columns that a model was given is its input of this index. */
export type FindInput = (model: string, index: number, columns: readonly Column[]) => Column | undefined;

/** Where a compiled check finds `model.outputs[0][3]`, filled with each request's own values. */
export class VariableSlot {
  readonly #variable: Variable;
  readonly #findInput: FindInput;
  #values: Column['values'] = new Float64Array();
  #offsets: Int32Array | undefined;
  /** Of the value within its row. */
  #offset = 0;
  #width = 0;

  constructor(variable: Variable, findInput: FindInput) {
    this.#variable = variable;
    this.#findInput = findInput;
  }

  /** NaN beyond the end of a row, where rows differ in length. */
  readonly at = (row: number): number => {
    const offsets = this.#offsets;
    if (offsets === undefined) return Number(this.#values[row * this.#width + this.#offset]);
    const place = offsets[row]! + this.#offset;
    return place < offsets[row + 1]! ? Number(this.#values[place]) : Number.NaN;
  };

  /** Throws a DomainError that names the check when the rows do not have the variable. */
  fill(rows: CheckedRows, check: string): void {
    const { model, position, key } = this.#variable;
    const refuse = (complaint: string): never => {
      const variable = instrumentText(this.#variable);
      throw new DomainError('invalid_input', `The check ${JSON.stringify(check)} reads ${variable}, but ${complaint}.`);
    };
    const run =
      rows.runs.findLast(({ models }) => models.includes(model)) ?? refuse('that model has not run before it');
    if (run.rowCount !== rows.rowCount) refuse('a step after that model changes the number of rows');
    const column = this.#find(run) ?? refuse(`there is no such ${position}`);
    if (column.type === 'utf8') refuse(`the column ${JSON.stringify(column.name)} holds text`);
    this.#values = column.values;
    this.#offsets = column.offsets;
    this.#width = column.values.length / rows.rowCount;
    this.#offset =
      place(column, key.slice(1)) ??
      refuse(`a row of ${JSON.stringify(column.name)} has the shape ${shapeText(column)}`);
  }

  #find({ inputs, outputs }: ModelStepRun): Column | undefined {
    const { model, position, key } = this.#variable;
    return position === 'input' ? this.#findInput(model, key[0]!, inputs) : outputs[key[0]!];
  }
}

/** Of the value that the indices lead to within a row, null when they do not lead to one value. */
function place({ rowShape, offsets }: Column, indices: readonly number[]): number | null {
  if (offsets !== undefined) return indices.length === 1 ? indices[0]! : null;
  const shape = rowShape.length === 0 ? [1] : rowShape;
  if (indices.length > shape.length) return null;
  let at = 0;
  for (const [axis, dimension] of shape.entries()) {
    const index = indices[axis] ?? (dimension === 1 ? 0 : dimension);
    if (index >= dimension) return null;
    at = at * dimension + index;
  }
  return at;
}

function shapeText({ rowShape, offsets }: Column): string {
  return offsets === undefined ? `[${rowShape.join(', ')}]` : '[any]';
}
