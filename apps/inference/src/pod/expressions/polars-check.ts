import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { PolarsExpression } from '@pademelon/domain/expressions';
import type { Check, CheckedRows } from './checked-rows.ts';
import { ColumnSlot } from './column-slot.ts';
import { compilePolars } from './compile-polars.ts';
import { ExpressionMisfit, type RowValue, requireBoolean } from './operand.ts';

interface ColumnReference {
  /** As the expression has it: `out.dense_1`. */
  readonly path: string;
  readonly group: 'in' | 'out';
  readonly name: string;
}

interface Program {
  readonly slots: readonly ColumnSlot[];
  readonly at: (row: number) => RowValue;
}

const maxPrograms = 64;

/** A polars expression that is true for anomalies. Null is none. */
export class PolarsCheck implements Check {
  readonly name: string;
  readonly references: readonly ColumnReference[];
  readonly #expression: PolarsExpression;
  /** Requests repeat the types of their columns, so the expression is compiled once for each. */
  readonly #programs = new Map<string, Program>();

  constructor(name: string, expression: PolarsExpression) {
    this.name = name;
    this.#expression = expression;
    this.references = [...columnPaths(expression)].map((path) => ({
      path,
      group: path.startsWith('in.') ? 'in' : 'out',
      name: path.slice(path.indexOf('.') + 1),
    }));
  }

  run(rows: CheckedRows): Uint8Array {
    try {
      const columns = this.references.map((reference) => findColumn(reference, rows));
      const { slots, at } = this.#program(columns);
      slots.forEach((slot, index) => {
        slot.fill(columns[index]!);
      });
      const failures = new Uint8Array(rows.rowCount);
      for (let row = 0; row < failures.length; row += 1) if (at(row) === true) failures[row] = 1;
      return failures;
    } catch (error) {
      if (!(error instanceof ExpressionMisfit)) throw error;
      throw new DomainError('invalid_input', `The check ${JSON.stringify(this.name)} ${error.message}.`);
    }
  }

  #program(columns: readonly Column[]): Program {
    const key = columns.map(ColumnSlot.describe).join();
    let program = this.#programs.get(key);
    if (program === undefined) {
      if (this.#programs.size === maxPrograms) this.#programs.clear();
      program = this.#compile(columns);
      this.#programs.set(key, program);
    }
    return program;
  }

  #compile(columns: readonly Column[]): Program {
    const slots = columns.map((column) => new ColumnSlot(column));
    const places = new Map(this.references.map(({ path }, index) => [path, index]));
    const operand = compilePolars(this.#expression, (path) => slots[places.get(path)!]!.operand);
    return { slots, at: requireBoolean(operand, 'itself as a check').at };
  }
}

function findColumn({ path, group, name }: ColumnReference, { inputs, outputs }: CheckedRows): Column {
  const column = (group === 'in' ? inputs : outputs).find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  const found = [...inputs.map((input) => `in.${input.name}`), ...outputs.map((output) => `out.${output.name}`)];
  throw new ExpressionMisfit(`reads ${JSON.stringify(path)}, but the rows have ${found.join(', ')}`);
}

function columnPaths(expression: PolarsExpression): Set<string> {
  const paths = new Set<string>();
  const visit = (part: PolarsExpression): void => {
    if (part.kind === 'column') paths.add(part.name);
    for (const inner of innerExpressions(part)) visit(inner);
  };
  visit(expression);
  return paths;
}

function innerExpressions(expression: PolarsExpression): readonly PolarsExpression[] {
  switch (expression.kind) {
    case 'binary':
      return [expression.left, expression.right];
    case 'choice':
      return [expression.predicate, expression.truthy, expression.falsy];
    case 'call':
      return expression.inputs;
    case 'column':
    case 'literal':
    case 'series':
      return [];
    default:
      return [expression.input];
  }
}
