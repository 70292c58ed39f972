import { basename } from 'node:path';
import type { Column, ColumnType, ColumnValues } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { Tensor } from 'onnxruntime-common';
// The public `InferenceSession.run` is this same blocking call behind a promise and a turn of the event loop. Calling
// it directly keeps an inference one plain function from bytes to bytes. See docs/decisions/0010.
import { binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import { joinColumns } from '../join-columns.ts';
import type { ModelSession } from '../model-session.ts';
import type { Feed, ModelSignature, TensorSpec } from '../tensor-spec.ts';

/** ONNX Runtime's element type numbers (onnx.proto, TensorProto.DataType). */
const elementTypes: Readonly<Record<number, ColumnType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'utf8',
  9: 'bool',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

const tensorTypes: Readonly<Partial<Record<ColumnType, string>>> = { utf8: 'string' };

/** What fails is told to the caller; ONNX Runtime would also print it, once for every bad request. */
const fatalOnly = 4;
const runOptions = { logSeverityLevel: fatalOnly };

interface RawMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  /** -1 for an open dimension. */
  readonly shape: readonly number[];
}

interface RawSession {
  loadModel(path: string, options: object): void;
  readonly inputMetadata: readonly RawMetadata[];
  readonly outputMetadata: readonly RawMetadata[];
  run(feeds: object, fetches: object, options: object): Record<string, Tensor>;
}

export interface OnnxOptions {
  /** What to call the model in messages. */
  readonly name: string;
  /** ONNX Runtime's intra-op threads. */
  readonly threads: number;
}

/** One model in ONNX Runtime. */
export class OnnxSession implements ModelSession {
  readonly signature: ModelSignature;
  readonly #name: string;
  readonly #session: RawSession;
  readonly #fetches: Readonly<Record<string, null>>;

  /** Blocks while the model is read. Throws a DomainError that says why it cannot be served. */
  constructor(path: string, { name, threads }: OnnxOptions) {
    initOrt();
    this.#name = name;
    this.#session = new binding.InferenceSession() as unknown as RawSession;
    try {
      this.#session.loadModel(path, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: fatalOnly,
        // A spinning pool keeps a core awake between runs and halves the throughput of its neighbours.
        extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
      });
    } catch (error) {
      const reason = runtimeMessage(error).replaceAll(path, basename(path));
      throw new DomainError('model_rejected', `Model ${JSON.stringify(name)} cannot be loaded: ${reason}`);
    }
    this.signature = readSignature(name, this.#session);
    this.#fetches = Object.fromEntries(this.signature.outputs.map((output) => [output.name, null]));
  }

  run(feeds: readonly Feed[], rowCount: number): Column[] {
    const { inputs, fixedBatch } = this.signature;
    if (fixedBatch !== null && fixedBatch !== rowCount) return this.#runInParts(feeds, rowCount, fixedBatch);
    const tensors: Record<string, Tensor> = {};
    for (let index = 0; index < inputs.length; index += 1) tensors[inputs[index]!.name] = toTensor(feeds[index]!);
    let results: Record<string, Tensor>;
    try {
      results = this.#session.run(tensors, this.#fetches, runOptions);
    } catch (error) {
      const message = `Model ${JSON.stringify(this.#name)} failed on this input: ${runtimeMessage(error)}`;
      throw new DomainError('model_rejected', message);
    }
    return this.signature.outputs.map((output) => this.#toColumn(output, results[output.name]!, rowCount));
  }

  /** For models exported with a batch of a certain size: that many rows at a time. */
  #runInParts(feeds: readonly Feed[], rowCount: number, size: number): Column[] {
    if (rowCount % size !== 0) {
      throw new DomainError(
        'invalid_input',
        `Model ${JSON.stringify(this.#name)} takes ${size} rows at a time, but the request has ${rowCount}.`,
      );
    }
    const parts: Column[][] = [];
    for (let row = 0; row < rowCount; row += size) {
      parts.push(
        this.run(
          feeds.map((feed) => rowsOf(feed, row, { size, rowCount })),
          size,
        ),
      );
    }
    return parts[0]!.map((_, index) => joinColumns(parts.map((part) => part[index]!)));
  }

  #toColumn(output: TensorSpec, tensor: Tensor, rowCount: number): Column {
    const values = tensor.data as ColumnValues;
    const { dims } = tensor;
    if (dims[0] === rowCount) return { name: output.name, type: output.type, rowShape: dims.slice(1), values };
    if (rowCount === 1) return { name: output.name, type: output.type, rowShape: [...dims], values };
    throw new DomainError(
      'model_rejected',
      `Model ${JSON.stringify(this.#name)} gave output ${JSON.stringify(output.name)} of shape [${dims.join(', ')}] for ${rowCount} rows.`,
    );
  }
}

function readSignature(name: string, session: RawSession): ModelSignature {
  const inputs = session.inputMetadata;
  const batches = new Set(inputs.map((input) => input.shape[0] ?? -1));
  batches.delete(-1);
  const [fixedBatch = null] = batches;
  // Outputs that are no tensors (maps, sequences) have no column form; the tensors beside them are served.
  const outputs = session.outputMetadata.filter((output) => output.isTensor && elementTypes[output.type] !== undefined);
  const quoted = JSON.stringify(name);
  if (inputs.length === 0) throw new DomainError('model_rejected', `Model ${quoted} has no inputs.`);
  if (outputs.length === 0) throw new DomainError('model_rejected', `Model ${quoted} has no tensor output.`);
  if (batches.size > 1) throw new DomainError('model_rejected', `Model ${quoted} has inputs of different batch sizes.`);
  return {
    inputs: inputs.map((input) => readInput(quoted, input)),
    outputs: outputs.map((output) => ({
      name: output.name,
      type: elementTypes[output.type]!,
      rowShape: rowShapeOf(output),
    })),
    fixedBatch,
  };
}

function readInput(quotedModel: string, input: RawMetadata): TensorSpec {
  const type = input.isTensor ? elementTypes[input.type] : undefined;
  const quoted = JSON.stringify(input.name);
  if (type === undefined) {
    throw new DomainError('model_rejected', `Model ${quotedModel}: the type of input ${quoted} is not supported.`);
  }
  if (input.shape.length === 0) {
    throw new DomainError('model_rejected', `Model ${quotedModel}: input ${quoted} has no dimension for rows.`);
  }
  return { name: input.name, type, rowShape: rowShapeOf(input) };
}

function rowShapeOf({ shape }: RawMetadata): (number | null)[] {
  return shape.slice(1).map((dimension) => (dimension < 0 ? null : dimension));
}

function toTensor({ type, values, dims }: Feed): Tensor {
  return new Tensor((tensorTypes[type] ?? type) as 'float32', values as Float32Array, dims);
}

function rowsOf(feed: Feed, row: number, { size, rowCount }: { size: number; rowCount: number }): Feed {
  const width = feed.values.length / rowCount;
  const [start, end] = [row * width, (row + size) * width];
  const { values } = feed;
  const part = ArrayBuffer.isView(values) ? values.subarray(start, end) : values.slice(start, end);
  return { type: feed.type, dims: [size, ...feed.dims.slice(1)], values: part };
}

/** What ONNX Runtime said, without the places in its own sources that it names. */
function runtimeMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const status = message.split('Status Message: ').at(-1)!;
  return status
    .replace(/\/\S*onnxruntime\S*:\d+ /g, '')
    .split('\n')[0]!
    .slice(0, 500)
    .trim();
}
