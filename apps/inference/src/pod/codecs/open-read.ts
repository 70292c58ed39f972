import { DomainError } from '@pademelon/domain/domain-error';
import type { InputBatch, InputHints, OpenOutput, OpenQuestion } from '../input-batch.ts';
import { checkColumnNames } from './cell-locator.ts';
import { parseJsonBody } from './json-body.ts';
import { checkRowCount } from './json-rows.ts';
import { isObject, type JsonObject, readFlag, readParameters, refuseSharedMemory } from './open-parameters.ts';
import { type BinaryTensors, readOpenTensor } from './open-tensor.ts';

export interface OpenReadOptions {
  readonly hints: InputHints;
  readonly maxRows: number;
  /** Bytes of JSON that the body begins with; null when it is JSON alone. */
  readonly jsonBytes: number | null;
  /** Whether an input that no model takes is refused. */
  readonly takesOnlyHinted: boolean;
}

/**
 * Reads an inference request of the Open Inference Protocol: the first dimension of every input is the number of rows.
 * Numbers in binary tensors are not copied where they lie as the processor wants them.
 */
export function readOpenRequest(body: Buffer, options: OpenReadOptions): InputBatch {
  const request = parseJsonBody(jsonPart(body, options.jsonBytes));
  if (!isObject(request)) throw invalid('The body must be an inference request, {"inputs": [{"name": …}]}.');
  const inputs = request['inputs'];
  if (!isListOfObjects(inputs) || inputs.length === 0) {
    throw invalid('The request must have "inputs", a list with an object for each tensor.');
  }
  const open = readQuestion(request);
  checkColumnNames(inputs.map((input) => readName(input, 'input')));
  const binary: BinaryTensors = { body, at: options.jsonBytes };
  const tensors = inputs.map((input) => readOpenTensor(input, { binary, ...options }));
  if (binary.at !== null && binary.at !== body.length) {
    throw invalid(`The body has ${body.length - binary.at} bytes more than its inputs say.`);
  }
  const { name, rowCount } = tensors[0]!;
  checkRowCount(rowCount, options.maxRows);
  const uneven = tensors.find((tensor) => tensor.rowCount !== rowCount);
  if (uneven !== undefined) {
    throw invalid(
      `Input ${JSON.stringify(uneven.name)} has ${uneven.rowCount} rows, but ${JSON.stringify(name)} has ${rowCount}; the first dimension of all inputs must be the same.`,
    );
  }
  return { rowCount, columns: tensors.map(({ rowCount: _, ...column }) => column), open };
}

function jsonPart(body: Buffer, jsonBytes: number | null): Buffer {
  if (jsonBytes === null) return body;
  if (jsonBytes > body.length) {
    throw invalid(
      `The header says that ${jsonBytes} bytes of the body are JSON, but it has ${body.length} altogether.`,
    );
  }
  return body.subarray(0, jsonBytes);
}

function readQuestion(request: JsonObject): OpenQuestion {
  const { id, outputs, parameters } = request;
  if (id !== undefined && typeof id !== 'string') throw invalid('The "id" of the request must be a string.');
  const settings = readParameters(parameters, 'the request');
  const sequence = settings['sequence_id'];
  if (sequence !== undefined && sequence !== 0 && sequence !== '') {
    throw invalid('Sequences are not supported: every request is answered by itself; leave "sequence_id" out.');
  }
  const wantsBinary = readFlag(settings, 'binary_data_output', 'the request') ?? false;
  return { id: id ?? null, outputs: readOutputs(outputs, wantsBinary), wantsBinary };
}

function readOutputs(outputs: unknown, wantsBinary: boolean): readonly OpenOutput[] | null {
  if (outputs === undefined) return null;
  if (!isListOfObjects(outputs)) throw invalid('The "outputs" of the request must be a list of objects with a name.');
  // No names are what clients send that have no wishes.
  if (outputs.length === 0) return null;
  const names = new Set<string>();
  return outputs.map((output) => {
    const name = readName(output, 'output');
    if (names.has(name)) throw invalid(`The output ${JSON.stringify(name)} is asked for twice.`);
    names.add(name);
    const owner = `output ${JSON.stringify(name)}`;
    const settings = readParameters(output['parameters'], owner);
    if (settings['classification'] !== undefined) throw invalid(`Classification of ${owner} is not supported.`);
    refuseSharedMemory(settings, owner);
    return { name, isBinary: readFlag(settings, 'binary_data', owner) ?? wantsBinary };
  });
}

function readName(tensor: JsonObject, what: string): string {
  const { name } = tensor;
  if (typeof name === 'string') return name;
  throw invalid(`Every ${what} must have a "name", a string.`);
}

function isListOfObjects(value: unknown): value is readonly JsonObject[] {
  return Array.isArray(value) && value.every(isObject);
}

function invalid(message: string): DomainError {
  return new DomainError('invalid_input', message);
}
