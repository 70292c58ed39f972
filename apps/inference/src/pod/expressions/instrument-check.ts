import { DomainError } from '@pademelon/domain/domain-error';
import { type InstrumentOperator, type InstrumentTree, instrumentText } from '@pademelon/domain/expressions';
import type { Check, CheckedRows } from './checked-rows.ts';
import { type FindInput, VariableSlot } from './variable-slot.ts';

/**
 * A check of the 2023 SDK: it says what must hold, in 64-bit floats whatever the types of the columns. A comparison with
 * NaN does not hold.
 */
export class InstrumentCheck implements Check {
  readonly name: string;
  readonly text: string;
  readonly #slots: VariableSlot[] = [];
  readonly #holds: (row: number) => boolean;

  constructor(name: string, tree: InstrumentTree, findInput: FindInput) {
    this.name = name;
    this.text = instrumentText(tree);
    if (tree.kind !== 'binary')
      throw new DomainError('unsupported', `The check ${JSON.stringify(name)} compares nothing.`);
    this.#holds = compileComparison(tree, (variable) => {
      const slot = new VariableSlot(variable, findInput);
      this.#slots.push(slot);
      return slot.at;
    });
  }

  run(rows: CheckedRows): Uint8Array {
    for (const slot of this.#slots) slot.fill(rows, this.name);
    const failures = new Uint8Array(rows.rowCount);
    for (let row = 0; row < failures.length; row += 1) if (!this.#holds(row)) failures[row] = 1;
    return failures;
  }
}

type Variable = Extract<InstrumentTree, { kind: 'variable' }>;
type ValueAt = (row: number) => number;

const compare: Readonly<
  Record<Exclude<InstrumentOperator, '+' | '-' | 'in'>, (left: number, right: number) => boolean>
> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '==': (left, right) => left === right,
  '>=': (left, right) => left >= right,
  '>': (left, right) => left > right,
};

function compileComparison(
  { operator, left, right }: Extract<InstrumentTree, { kind: 'binary' }>,
  addSlot: (variable: Variable) => ValueAt,
): (row: number) => boolean {
  const leftAt = compileValue(left, addSlot);
  if (right.kind === 'numbers') {
    const values = new Set(right.values);
    return (row) => values.has(leftAt(row));
  }
  const rightAt = compileValue(right, addSlot);
  const holds = compare[operator as keyof typeof compare];
  return (row) => holds(leftAt(row), rightAt(row));
}

function compileValue(tree: InstrumentTree, addSlot: (variable: Variable) => ValueAt): ValueAt {
  switch (tree.kind) {
    case 'number': {
      const { value } = tree;
      return () => value;
    }
    case 'variable':
      return addSlot(tree);
    case 'abs': {
      const at = compileValue(tree.input, addSlot);
      return (row) => Math.abs(at(row));
    }
    case 'binary': {
      const left = compileValue(tree.left, addSlot);
      const right = compileValue(tree.right, addSlot);
      return tree.operator === '+' ? (row) => left(row) + right(row) : (row) => left(row) - right(row);
    }
    case 'numbers':
      throw new DomainError('unsupported', 'A list of numbers stands only in one_of.');
  }
}
