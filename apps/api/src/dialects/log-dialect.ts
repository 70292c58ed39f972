import { type SdkGeneration, sdkGeneration } from '@pademelon/contracts';
import type { LogColumn } from '@pademelon/domain';
import { jsonValues } from '../routes/logs/json-values.ts';

/** `pipelines/get_logs` names the pipeline differently in each generation, which tells them apart better than a header. */
export function generationOfGetLogs(
  body: { pipeline_id?: unknown; pipeline_name?: unknown },
  userAgent?: string,
): SdkGeneration {
  if (body.pipeline_name !== undefined) return '2026';
  if (body.pipeline_id !== undefined) return '2023';
  return sdkGeneration(userAgent);
}

/** The names that the 2023 SDK's LogEntry knows element types by. */
const legacyTypes: Record<LogColumn['type'], string> = {
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

/**
 * Rows as the 2023 SDK reads them with ARROW_ENABLED=false: a JSON text each, in the shape of the classic inference
 * answer. The columns are those of a 2023 table with metadata.
 */
export function legacyLogRecords(columns: readonly LogColumn[], rowCount: number, pipelineName: string): string[] {
  const values = new Map(columns.map((column) => [column.name, jsonValues(column, rowCount)]));
  const cell = (name: string, row: number): unknown => values.get(name)![row];
  const inputs = columns.filter(({ name }) => name.startsWith('in.'));
  const outputs = columns.filter(({ name }) => name.startsWith('out.'));
  const shadows = columnsOfShadows(columns);
  const output = (column: LogColumn, row: number): object => {
    const data = [cell(column.name, row)].flat(Number.POSITIVE_INFINITY);
    const dim = column.rowShape.includes(-1) ? [1, data.length] : [1, ...column.rowShape];
    return { [legacyTypes[column.type]]: { v: 1, dim, data } };
  };
  return Array.from({ length: rowCount }, (_, row) => {
    const model = JSON.parse(cell('metadata.last_model', row) as string) as { model_name: string; model_sha: string };
    return JSON.stringify({
      model_name: model.model_name,
      model_version: model.model_sha,
      pipeline_name: pipelineName,
      outputs: outputs.map((column) => output(column, row)),
      elapsed: cell('metadata.elapsed', row),
      time: cell('time', row),
      original_data: Object.fromEntries(inputs.map(({ name }) => [name.slice(3), cell(name, row)])),
      check_failures: cell('check_failures', row),
      shadow_data: Object.fromEntries(
        Array.from(shadows, ([model, of]) => [model, of.map((column) => output(column, row))]),
      ),
    });
  });
}

/** The columns `out_<model>.<output>` by the model's name, which has no dot. */
function columnsOfShadows(columns: readonly LogColumn[]): Map<string, LogColumn[]> {
  const shadows = columns.filter(({ name }) => name.startsWith('out_'));
  return Map.groupBy(shadows, ({ name }) => name.slice('out_'.length).split('.', 1)[0]!);
}
