import type { FileWindow } from './file-window.ts';
import { limits } from './limits.ts';
import { reject } from './model-rejection.ts';

/** What to do with one field of a message that is gathered into a `T`. Fields without a rule are passed over. */
export type FieldRule<T> =
  | { readonly kind: 'number'; readonly take: (into: T, value: number) => void }
  | { readonly kind: 'text'; readonly take: (into: T, text: string) => void }
  /** Values that are only counted: `bytes` is at least the number of values. */
  | { readonly kind: 'payload'; readonly take: (into: T, bytes: number) => void }
  /** `open` gives what the inner message is gathered into, or null to pass over it. */
  // biome-ignore lint/suspicious/noExplicitAny: the inner message's type is between its own rule and `open`.
  | { readonly kind: 'message'; readonly rule: () => MessageRule<any>; readonly open: (into: T) => unknown };

export interface MessageRule<T> {
  /** By field number. */
  readonly fields: readonly (FieldRule<T> | undefined)[];
  /** Called when the message has been read whole. */
  readonly close?: (into: T) => void;
}

/** Ties an inner message's rule to what it is gathered into. Rules may refer to one another in a circle. */
export function message<T, Inner>(
  rule: () => MessageRule<Inner>,
  open: (into: T) => Inner | null,
): FieldRule<T> & { kind: 'message' } {
  return { kind: 'message', rule, open };
}

/** `fields({ 1: …, 8: … })` as the sparse table that the walk looks up. */
export function fields<T>(byNumber: Readonly<Record<number, FieldRule<T>>>): (FieldRule<T> | undefined)[] {
  const table: (FieldRule<T> | undefined)[] = [];
  for (const [number, rule] of Object.entries(byNumber)) table[Number(number)] = rule;
  return table;
}

interface Frame {
  readonly rule: MessageRule<unknown>;
  readonly into: unknown;
  readonly end: number;
}

/** The longest tag and length before a field's content. */
const fieldHeadBytes = 20;

/**
 * Walks through a protobuf message with a stack of its own, so that hostile nesting is an error and not a crash, and
 * hands what the rules name to them. It gives way to other work whenever it needs more of the file.
 */
export async function walkMessage<T>(file: FileWindow, rule: MessageRule<T>, into: T): Promise<void> {
  const stack: Frame[] = [{ rule: rule as MessageRule<unknown>, into, end: file.size }];
  let fieldCount = 0;
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (file.position === frame.end) {
      frame.rule.close?.(frame.into);
      stack.pop();
      continue;
    }
    if (++fieldCount > limits.fields) reject('The model has more fields than any real model.');
    if (!file.has(fieldHeadBytes)) await file.ensure(fieldHeadBytes);
    // Most fields are read at once; a promise for each of millions would cost more than the reading.
    const step = readField(file, frame);
    const inner = step instanceof Promise ? await step : step;
    if (inner === undefined) continue;
    stack.push(inner);
    if (stack.length > limits.messageDepth) {
      reject(`The model's messages are nested more than ${limits.messageDepth} deep.`);
    }
  }
}

/** Reads or passes over one field; resolves to the frame of an inner message that is to be read next. */
function readField(file: FileWindow, frame: Frame): Frame | undefined | Promise<undefined> {
  const tag = file.varint();
  const rule = frame.rule.fields[tag >>> 3];
  const wireType = tag & 7;
  if (tag < 8 || tag > 0xffff_ffff) malformed(file);
  if (wireType === 0) {
    const value = file.varint();
    if (file.position > frame.end) malformed(file);
    if (rule?.kind === 'number') rule.take(frame.into, value);
    else if (rule?.kind === 'payload') rule.take(frame.into, 1);
    else if (rule !== undefined) malformed(file);
    return undefined;
  }
  if (wireType !== 1 && wireType !== 2 && wireType !== 5) malformed(file);
  const length = wireType === 2 ? file.varint() : wireType === 1 ? 8 : 4;
  if (length < 0) malformed(file);
  const end = file.position + length;
  if (end > file.size) reject('The file ends in the middle of a field: it is truncated, or it is not an ONNX model.');
  if (end > frame.end) malformed(file);
  if (rule === undefined) {
    file.skip(length);
    return undefined;
  }
  if (rule.kind === 'payload') {
    rule.take(frame.into, Math.max(1, length));
    file.skip(length);
    return undefined;
  }
  if (wireType !== 2) malformed(file);
  if (rule.kind === 'message') {
    const inner = rule.open(frame.into);
    if (inner !== null) return { rule: rule.rule(), into: inner, end };
    file.skip(length);
    return undefined;
  }
  return readValues(file, frame, rule, end);
}

/** Text, or numbers packed into one field. */
async function readValues(
  file: FileWindow,
  frame: Frame,
  rule: FieldRule<unknown> & { kind: 'text' | 'number' },
  end: number,
): Promise<undefined> {
  const length = end - file.position;
  if (length > limits.nameBytes) reject(`The model has a name or a shape of ${length} bytes.`);
  await file.ensure(length);
  if (rule.kind === 'text') {
    const text = file.text(length);
    if (text.includes('\u0000')) reject('The model has a name with a NUL character.');
    rule.take(frame.into, text);
    return;
  }
  while (file.position < end) rule.take(frame.into, file.varint());
  if (file.position !== end) malformed(file);
}

function malformed(file: FileWindow): never {
  return reject(`The file is not an ONNX model, or it is damaged: byte ${file.position} cannot be understood.`);
}
