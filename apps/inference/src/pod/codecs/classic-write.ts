import type { Column, ColumnType } from '@pademelon/contracts';
import type { AnswerData } from '../answer-fields.ts';
import type { ModelIdentity } from '../pipeline-steps/pipeline-step.ts';
import type { ByteWriter } from './byte-writer.ts';
import { writeValue } from './json-cell.ts';

const outputKinds: Readonly<Record<ColumnType, string>> = {
  float32: 'Float',
  float64: 'Double',
  int8: 'Int8',
  int16: 'Int16',
  int32: 'Int32',
  int64: 'Int64',
  uint8: 'Uint8',
  uint16: 'Uint16',
  uint32: 'Uint32',
  uint64: 'Uint64',
  bool: 'Bool',
  utf8: 'String',
};

export interface ClassicContext {
  readonly pipelineName: string;
  readonly model: ModelIdentity;
  /** The request's body, repeated as `original_data`. */
  readonly body: Buffer;
}

/** Writes the legacy answer to the classic form: a list of exactly one element for all rows (the 2023 SDK fails on any other number). */
export function writeClassic(
  writer: ByteWriter,
  data: AnswerData,
  { pipelineName, model, body }: ClassicContext,
): void {
  writer.text(`[{"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)}`);
  writer.text(`,"pipeline_name":${JSON.stringify(pipelineName)},"outputs":[`);
  writeOutputs(writer, data.outputs, data.batch.rowCount);
  const [readNs, runNs] = data.metadata.elapsed;
  writer.ascii(`],"elapsed":${readNs + runNs},"time":${data.timeMs},"original_data":`);
  writer.copy(body);
  writer.text(`,"check_failures":${JSON.stringify(allFailedChecks(data))},"shadow_data":{`);
  data.sides.forEach(({ name, outputs }, index) => {
    writer.text(`${index > 0 ? ',' : ''}${JSON.stringify(name)}:[`);
    writeOutputs(writer, outputs, data.batch.rowCount);
    writer.ascii(']');
  });
  writer.ascii('}}]');
}

function writeOutputs(writer: ByteWriter, columns: readonly Column[], rowCount: number): void {
  columns.forEach((column, index) => {
    if (index > 0) writer.ascii(',');
    writeOutput(writer, column, rowCount);
  });
}

function writeOutput(writer: ByteWriter, column: Column, rowCount: number): void {
  const dimensions = [rowCount, ...column.rowShape].join(',');
  writer.ascii(`{"${outputKinds[column.type]}":{"v":1,"dim":[${dimensions}],"data":[`);
  for (let at = 0; at < column.values.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writeValue(writer, column, at);
  }
  writer.ascii(']}}');
}

/** `{"False": {"expr": "model.outputs[0][0] < 0.95"}}` for what 2023 says must hold, the name for what later SDKs call an anomaly. */
function allFailedChecks({ checks }: AnswerData): unknown[] {
  return checks
    .filter(({ failures }) => failures.includes(1))
    .map(({ name, text }) => (text === undefined ? name : { False: { expr: text } }));
}
