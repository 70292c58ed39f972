import { tableFromIPC } from 'apache-arrow';
import type { Workload } from './workloads.ts';

/** How a server wants its rows and gives its predictions. */
export interface RequestForm {
  /** The request for a workload; null when the server has none for its format. */
  request(workload: Workload): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } | null;
  /** One prediction a row. Throws when the answer is not what this form promises. */
  readAnswer(answer: Buffer, workload: Workload): number[];
}

const arrowType = 'application/vnd.apache.arrow.file';
const pipelineColumns = ['time', 'in.tensor', 'out.variable', 'check_failures'];

/** The full answer of a pipeline: time, the input again, the prediction and the failed checks, as JSON or Arrow. */
export const pipelineForm: RequestForm = {
  request: ({ format, body }) =>
    format === 'json'
      ? { body, headers: { 'content-type': 'application/json; format=pandas-records' } }
      : { body, headers: { 'content-type': arrowType, accept: arrowType } },
  readAnswer: (answer, { format }) => (format === 'json' ? readRecords(answer) : readTable(answer)),
};

/** Predictions alone, in the Open Inference Protocol. */
export const openInferenceForm: RequestForm = {
  request: ({ format, values }) =>
    format !== 'json'
      ? null
      : json({
          inputs: [
            { name: 'tensor', shape: [values.length, values[0]!.length], datatype: 'FP32', data: values.flat() },
          ],
        }),
  readAnswer: (answer) => (JSON.parse(answer.toString()) as { outputs: { data: number[] }[] }).outputs[0]!.data,
};

/** Predictions alone, for rows under a name of the server's choosing: `{"<name>": [[…], …]}`. */
export function rowsForm(name: string): RequestForm {
  return {
    request: ({ format, values }) => (format === 'json' ? json({ [name]: values }) : null),
    readAnswer(answer) {
      const told = JSON.parse(answer.toString()) as number[][] | { predictions: number[][] };
      return (Array.isArray(told) ? told : told.predictions).map((row) => row[0]!);
    },
  };
}

function json(content: unknown): { body: Buffer; headers: Record<string, string> } {
  return { body: Buffer.from(JSON.stringify(content)), headers: { 'content-type': 'application/json' } };
}

function readRecords(answer: Buffer): number[] {
  const records = JSON.parse(answer.toString()) as Record<string, unknown>[];
  for (const column of pipelineColumns) {
    if (records[0]?.[column] === undefined) throw new Error(`The answer has no ${column}: ${answer.subarray(0, 300)}`);
  }
  return records.map((record) => (record['out.variable'] as number[])[0]!);
}

function readTable(answer: Buffer): number[] {
  const table = tableFromIPC(answer);
  const names = table.schema.fields.map(({ name }) => name);
  if (names.join() !== pipelineColumns.join()) throw new Error(`The answer has the columns ${names}.`);
  return Array.from(table.getChild('out.variable')!, (row) => row.get(0) as number);
}
