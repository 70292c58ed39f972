import { DomainError } from '@pademelon/domain/domain-error';
import { rowWidth, shapeText } from './tensor-spec.ts';

/**
 * Whether a cell of shape `sent` can be taken for one of shape `wanted`: the same but for dimensions of one, or a flat
 * list of as many values (images and the like are often sent flat).
 */
export function fits(sent: readonly number[], wanted: readonly (number | null)[]): boolean {
  const width = rowWidth(wanted);
  if (width !== null && sent.length === 1 && sent[0] === width) return true;
  const sentLong = sent.filter((dimension) => dimension !== 1);
  const wantedLong = wanted.filter((dimension) => dimension !== 1);
  if (width !== null) return isSame(sentLong, wantedLong);
  return sent.length === wanted.length && isSame(sent, wanted);
}

function isSame(sent: readonly number[], wanted: readonly (number | null)[]): boolean {
  return (
    sent.length === wanted.length &&
    sent.every((dimension, axis) => wanted[axis] === null || wanted[axis] === dimension)
  );
}

/** The dimensions that the model gets for cells that fit: its own where they are fixed, else those sent. */
export function resolveShape(sent: readonly number[], wanted: readonly (number | null)[]): number[] {
  return rowWidth(wanted) === null ? [...sent] : wanted.map((dimension) => dimension ?? 1);
}

/** The refusal of a cell whose shape does not fit. */
export function misfit(
  where: { row: number; column: string },
  sent: readonly number[],
  wanted: readonly (number | null)[],
): DomainError {
  const width = rowWidth(wanted);
  const takes = width === null || wanted.length > 1 ? `the shape ${shapeText(wanted)}` : countText(width);
  const found = sent.length > 1 ? `the shape ${shapeText(sent)}` : countText(sent.length === 0 ? 1 : sent[0]!);
  return new DomainError(
    'invalid_input',
    `Row ${where.row}, column ${JSON.stringify(where.column)}: the model takes ${takes}, but the cell has ${found}.`,
  );
}

function countText(count: number): string {
  return count === 1 ? '1 value' : `${count} values`;
}
