import { Field, FixedSizeList, Float32, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type BenchModel, featureCount } from './bench-model.ts';

/** One request, sent again and again, and what its answer must hold. */
export interface Workload {
  readonly name: string;
  readonly rows: number;
  readonly format: 'json' | 'arrow';
  /** The features of each row. */
  readonly values: readonly (readonly number[])[];
  /** The rows as a pipeline takes them, in this format. */
  readonly body: Buffer;
  /** `out.variable` of each row, by ONNX Runtime itself. */
  readonly expected: Float32Array;
}

type Rows = readonly (readonly number[])[];

export interface Workloads {
  readonly oneRow: Workload;
  readonly thousandRowsJson: Workload;
  readonly thousandRowsArrow: Workload;
}

/** The requests of the bench for a model, with the answers that ONNX Runtime gives in this process. */
export async function createWorkloads({ path, rows: values }: Pick<BenchModel, 'path' | 'rows'>): Promise<Workloads> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
  const first = values.slice(0, 1);
  const expected = await expectedOutputs(session, values);
  return {
    oneRow: {
      name: '1 row',
      rows: 1,
      format: 'json',
      values: first,
      body: jsonBody(first),
      expected: await expectedOutputs(session, first),
    },
    thousandRowsJson: { name: '1,000 rows JSON', rows: 1000, format: 'json', values, body: jsonBody(values), expected },
    thousandRowsArrow: {
      name: '1,000 rows Arrow',
      rows: 1000,
      format: 'arrow',
      values,
      body: arrowBody(values),
      expected,
    },
  };
}

/** As the SDKs' data frames write them: whole numbers with a decimal, too. */
function jsonBody(rows: Rows): Buffer {
  const write = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));
  return Buffer.from(`[${rows.map((row) => `{"tensor":[${row.map(write).join()}]}`).join()}]`);
}

function arrowBody(rows: Rows): Buffer {
  const type = new FixedSizeList(featureCount, new Field('item', new Float32(), false));
  return Buffer.from(tableToIPC(new Table({ tensor: vectorFromArray(rows, type) }), 'file'));
}

async function expectedOutputs(session: InferenceSession, rows: Rows): Promise<Float32Array> {
  const tensor = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, featureCount]);
  const outputs = await session.run({ [session.inputNames[0]!]: tensor });
  return outputs[session.outputNames[0]!]!.data as Float32Array;
}
