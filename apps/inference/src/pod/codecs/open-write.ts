import { type Column, openDatatypes } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { AnswerData, AnsweredSide } from '../answer-fields.ts';
import type { OpenQuestion } from '../input-batch.ts';
import type { ByteWriter } from './byte-writer.ts';
import { writeValue } from './json-cell.ts';

export interface OpenAnswerContext {
  readonly modelName: string;
  readonly modelVersion: string;
}

interface Output {
  readonly column: Column;
  readonly isBinary: boolean;
}

/**
 * Writes an inference response of the Open Inference Protocol: JSON, then the binary tensors. Returns the bytes of the
 * JSON, null when there is nothing else.
 */
export function writeOpenAnswer(
  writer: ByteWriter,
  { batch, outputs, sides }: Pick<AnswerData, 'batch' | 'outputs' | 'sides'>,
  { modelName, modelVersion }: OpenAnswerContext,
): number | null {
  const question = batch.open!;
  const chosen = chooseOutputs([...outputs, ...sides.flatMap(sideOutputs)], question);
  writer.text(`{"model_name":${JSON.stringify(modelName)},"model_version":${JSON.stringify(modelVersion)}`);
  if (question.id !== null) writer.text(`,"id":${JSON.stringify(question.id)}`);
  writer.ascii(',"outputs":[');
  chosen.forEach(({ column, isBinary }, index) => {
    const shape = [batch.rowCount, ...column.rowShape].join(',');
    writer.text(`${index === 0 ? '' : ','}{"name":${JSON.stringify(column.name)}`);
    writer.ascii(`,"datatype":"${openDatatypes[column.type]}","shape":[${shape}]`);
    if (isBinary) writer.ascii(`,"parameters":{"binary_data_size":${binaryBytes(column)}}}`);
    else writeData(writer, column);
  });
  writer.ascii(']}');
  if (!chosen.some(({ isBinary }) => isBinary)) return null;
  const jsonBytes = writer.contentLength;
  for (const { column, isBinary } of chosen) if (isBinary) writeBinary(writer, column);
  return jsonBytes;
}

/** What other models say beside the answer, under the names that it has in the log: `out_<model>.<output>`. */
function sideOutputs({ name, outputs }: AnsweredSide): Column[] {
  return outputs.map((output) => ({ ...output, name: `${name}.${output.name}` }));
}

function chooseOutputs(columns: readonly Column[], { outputs, wantsBinary }: OpenQuestion): Output[] {
  if (outputs === null) return columns.map((column) => ({ column, isBinary: wantsBinary }));
  return outputs.map(({ name, isBinary }) => {
    const column = columns.find((candidate) => candidate.name === name);
    if (column !== undefined) return { column, isBinary };
    const known = columns.map((candidate) => JSON.stringify(candidate.name)).join(', ');
    throw new DomainError('invalid_input', `The model has no output ${JSON.stringify(name)}; it gives ${known}.`);
  });
}

function writeData(writer: ByteWriter, column: Column): void {
  writer.ascii(',"data":[');
  for (let at = 0; at < column.values.length; at += 1) {
    if (at > 0) writer.byte(44);
    writeValue(writer, column, at);
  }
  writer.ascii(']}');
}

function binaryBytes({ values }: Column): number {
  if (ArrayBuffer.isView(values)) return values.byteLength;
  return values.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
}

function writeBinary(writer: ByteWriter, { values }: Column): void {
  if (ArrayBuffer.isView(values)) {
    writer.copy(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  for (const text of values) {
    const bytes = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
    bytes.writeUInt32LE(bytes.length - 4);
    bytes.write(text, 4);
    writer.copy(bytes);
  }
}
