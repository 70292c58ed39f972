import { type Column, type ColumnType, openDatatypes } from '@pademelon/contracts';
import { identityModel, int64Model, multipleInputsModel, type OnnxType, sumModel } from '@pademelon/testing/onnx';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { OpenQuestion } from '../input-batch.ts';
import { dataPlaneBench, type TestModel, testLimits } from '../pod-bench.ts';
import { PlanCache } from '../request-plan.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeOpenAnswer } from './open-write.ts';

const benches: { remove: () => void }[] = [];
afterEach(() => {
  for (const bench of benches.splice(0)) bench.remove();
});

const target = '/v2/models/pipe/infer';
const sum: TestModel = { name: 'sum', file: sumModel(3) };
const several: TestModel = { name: 'several', file: multipleInputsModel() };

interface Answer {
  readonly contentType: string;
  readonly json: Record<string, unknown>;
  /** What follows the JSON. */
  readonly binary: Buffer;
}

async function setup(...models: TestModel[]) {
  const bench = await dataPlaneBench(...models);
  benches.push(bench);
  /** Sends JSON with binary tensors behind it. */
  const ask = (request: unknown, binary: readonly Buffer[] = [], path = target): Answer => {
    const json = Buffer.from(typeof request === 'string' ? request : JSON.stringify(request));
    const plan = new PlanCache().get({
      target: path,
      contentType: undefined,
      accept: undefined,
      userAgent: 'python-requests/2.25.1',
      jsonLength: binary.length === 0 ? undefined : String(json.length),
    });
    const writer = new ByteWriter();
    writer.begin();
    const { contentType, headers } = bench.dataPlane.infer(plan, Buffer.concat([json, ...binary]), writer);
    const bytes = writer.take();
    const length = /^inference-header-content-length: (\d+)\r\n$/.exec(headers)?.[1];
    const end = length === undefined ? bytes.length : Number(length);
    return { contentType, json: JSON.parse(bytes.toString('utf8', 0, end)), binary: bytes.subarray(end) };
  };
  const refusal = (request: unknown, binary?: readonly Buffer[], path?: string): string =>
    told(() => ask(request, binary, path));
  return { ...bench, ask, refusal };
}

function told(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const { word, message } = error as { word: string; message: string };
    return `${word}: ${message}`;
  }
  return 'answered';
}

const x = (data: unknown, shape = [1, 3], datatype = 'FP32') => ({ inputs: [{ name: 'x', shape, datatype, data }] });
const binaryX = (size: unknown, shape = [1, 3], datatype = 'FP32') => ({
  inputs: [{ name: 'x', shape, datatype, parameters: { binary_data_size: size } }],
});
const bytesOf = (values: { buffer: ArrayBufferLike }): Buffer => Buffer.from(values.buffer);
const three = bytesOf(Float32Array.of(1, 2, 3.5));

describe('an inference by JSON', () => {
  it('is answered with the name asked for, the version served and every output', async () => {
    const { ask } = await setup(sum);
    const { contentType, json, binary } = ask(x([1, 2, 3.5]), [], '/v2/models/my%20team.pipe/infer');
    expect(contentType).toBe('application/json');
    expect(binary).toHaveLength(0);
    expect(json).toEqual({
      model_name: 'my team.pipe',
      model_version: 'version-1',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [6.5] }],
    });
  });

  it('takes rows flat and nested, and repeats the id', async () => {
    const { ask } = await setup(sum);
    const flat = ask({ id: 'é"1', ...x([1, 2, 3, 4, 5, 6], [2, 3]) });
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    expect(flat.json).toMatchObject({ id: 'é"1', outputs: [{ shape: [2, 1], data: [6, 15] }] });
    expect(ask({ id: 'é"1', ...x(rows, [2, 3]) }).json).toEqual(flat.json);
  });

  it('takes several inputs and gives the outputs asked for, in that order', async () => {
    const { ask } = await setup(several);
    const inputs = [
      { name: 'mask', shape: [2, 1], datatype: 'BOOL', data: [true, false] },
      { name: 'b', shape: [2, 1], datatype: 'FP32', data: [2, 3] },
      { name: 'a', shape: [2, 1], datatype: 'FP32', data: [[5], [7]] },
    ];
    expect(ask({ inputs, outputs: [{ name: 'unmasked' }, { name: 'sum' }] }).json['outputs']).toEqual([
      { name: 'unmasked', datatype: 'BOOL', shape: [2, 1], data: [false, true] },
      { name: 'sum', datatype: 'FP32', shape: [2, 1], data: [7, 10] },
    ]);
    expect(ask({ inputs, outputs: [] }).json['outputs']).toHaveLength(3);
  });

  it('keeps whole numbers of 64 bits exact', async () => {
    const { refusal, inferBytes } = await setup({ name: 'whole', file: int64Model() });
    const body = '{"inputs":[{"name":"x","shape":[1,2],"datatype":"INT64","data":[4611686018427387903,-3]}]}';
    expect(inferBytes(body, { target }).toString()).toContain('"data":[9223372036854775806,-6]');
    expect(refusal(body.replace('-3', '1.5'))).toMatch(/^invalid_input: Row 0, column "x", value 1: .*1\.5/);
  });

  it('is in the log like any other', async () => {
    const { ask, records } = await setup(sum);
    ask(x([1, 2, 3.5]));
    ask({ ...binaryX(24, [2, 3]), parameters: { binary_data_output: true } }, [three, three]);
    expect(records.map(({ rowCount, columns }) => [rowCount, ...columns.map(({ name }) => name)])).toEqual([
      [1, 'in.x', 'out.y'],
      [2, 'in.x', 'out.y'],
    ]);
    expect([...(records[1]!.columns[0]!.values as Float32Array)]).toEqual([1, 2, 3.5, 1, 2, 3.5]);
  });
});

describe('binary tensors', () => {
  const samples: [OnnxType, ColumnType, Buffer, readonly unknown[]][] = [
    ['float32', 'float32', bytesOf(Float32Array.of(1.5, -2)), [1.5, -2]],
    ['float64', 'float64', bytesOf(Float64Array.of(0.1, -2)), [0.1, -2]],
    ['int8', 'int8', bytesOf(Int8Array.of(-128, 127)), [-128, 127]],
    ['int16', 'int16', bytesOf(Int16Array.of(-32768, 7)), [-32768, 7]],
    ['int32', 'int32', bytesOf(Int32Array.of(-5, 6)), [-5, 6]],
    ['int64', 'int64', bytesOf(BigInt64Array.of(-5n, 6n)), [-5, 6]],
    ['uint8', 'uint8', bytesOf(Uint8Array.of(0, 255)), [0, 255]],
    ['uint16', 'uint16', bytesOf(Uint16Array.of(0, 65535)), [0, 65535]],
    ['uint32', 'uint32', bytesOf(Uint32Array.of(0, 4294967295)), [0, 4294967295]],
    ['uint64', 'uint64', bytesOf(BigUint64Array.of(0n, 9n)), [0, 9]],
    ['bool', 'bool', Buffer.of(0, 1), [false, true]],
    ['string', 'utf8', Buffer.from('\u0003\0\0\0aé\0\0\0\0'), ['aé', '']],
  ];

  it.each(samples)(
    'of type %s come and go byte for byte, and are the same as JSON',
    async (onnx, type, bytes, data) => {
      const { ask } = await setup({ name: 'same', file: identityModel(onnx, ['N', 2]) });
      const datatype = openDatatypes[type];
      const asBinary = { ...binaryX(bytes.length, [1, 2], datatype), parameters: { binary_data_output: true } };
      const answer = ask(asBinary, [bytes]);
      expect(answer.contentType).toBe('application/octet-stream');
      expect(answer.json['outputs']).toEqual([
        { name: 'y', datatype, shape: [1, 2], parameters: { binary_data_size: bytes.length } },
      ]);
      expect(answer.binary).toEqual(bytes);
      expect(ask(binaryX(bytes.length, [1, 2], datatype), [bytes]).json).toEqual(ask(x(data, [1, 2], datatype)).json);
      expect(ask(x(data, [1, 2], datatype)).json).toMatchObject({ outputs: [{ data }] });
    },
  );

  it('stand behind one another in the order of their inputs, mixed with JSON as each wants it', async () => {
    const { ask } = await setup(several);
    const answer = ask(
      {
        inputs: [
          { name: 'b', shape: [1, 1], datatype: 'FP32', parameters: { binary_data_size: 4 } },
          { name: 'a', shape: [1, 1], datatype: 'FP32', data: [5] },
          { name: 'mask', shape: [1, 1], datatype: 'BOOL', parameters: { binary_data_size: 1 } },
        ],
        outputs: [
          { name: 'product', parameters: { binary_data: true } },
          { name: 'sum', parameters: { binary_data: false } },
          { name: 'unmasked', parameters: { binary_data: true } },
        ],
      },
      [bytesOf(Float32Array.of(3)), Buffer.of(1)],
    );
    expect(answer.json['outputs']).toMatchObject([{ parameters: { binary_data_size: 4 } }, { data: [8] }, {}]);
    expect(answer.binary).toEqual(Buffer.concat([bytesOf(Float32Array.of(15)), Buffer.of(0)]));
  });
});

describe('answers of challengers', () => {
  const column = (name: string, value: number): Column => ({
    name,
    type: 'float32',
    rowShape: [1],
    values: Float32Array.of(value),
  });
  const answer = (outputs: OpenQuestion['outputs']) => {
    const writer = new ByteWriter();
    writer.begin();
    const batch = { rowCount: 1, columns: [], open: { id: null, outputs, wantsBinary: false } };
    const data = { batch, outputs: [column('y', 1)], sides: [{ name: 'out_rival', outputs: [column('y', 2)] }] };
    writeOpenAnswer(writer, data, { modelName: 'm', modelVersion: 'v' });
    return JSON.parse(writer.take().toString()).outputs.map((output: { name: string; data: number[] }) => output.name);
  };

  it('stand behind the champion’s, under the names that they have in the log', () => {
    expect(answer(null)).toEqual(['y', 'out_rival.y']);
    expect(answer([{ name: 'out_rival.y', isBinary: false }])).toEqual(['out_rival.y']);
  });
});

describe('refused and survived', () => {
  const cases: [string, unknown, RegExp, (readonly Buffer[])?][] = [
    ['no body', '', /body is empty/],
    ['broken JSON', '{"inputs":[', /not valid JSON/],
    ['NaN in JSON', '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,NaN,3]}]}', /not valid JSON/],
    ['a list', '[1]', /must be an inference request/],
    ['no inputs', { inputs: [] }, /"inputs"/],
    ['an input that is no object', { inputs: [7] }, /"inputs"/],
    ['a nameless input', { inputs: [{ shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }] }, /must have a "name"/],
    [
      'an unknown input',
      { inputs: [{ ...x([1, 2, 3]).inputs[0], name: 'z' }] },
      /no input "z"; it takes "x", "tensor"/,
    ],
    ['an input twice', { inputs: [...x([1, 2, 3]).inputs, ...x([1, 2, 3]).inputs] }, /"x" is there twice/],
    ['another datatype than the model has', x([1, 2, 3], [1, 3], 'FP64'), /is of the datatype FP64.*takes FP32/],
    ['an unsupported datatype', x([1, 2, 3], [1, 3], 'FP16'), /has the datatype "FP16"; supported are FP32/],
    ['no datatype', { inputs: [{ name: 'x', shape: [1, 3], data: [1, 2, 3] }] }, /has the datatype nothing/],
    ['a shape that the data does not fill', x([1, 2, 3], [2, 3]), /has 3 values, but the shape \[2, 3\] is of 6/],
    ['a nested list of another shape', x([[1, 2], [3]], [1, 3]), /nested lists that are not of the shape \[1, 3\]/],
    ['a width that the model has not', x([1, 2], [1, 2]), /the model takes 3 values, but the cell has 2/],
    ['a negative dimension', x([1, 2, 3], [-1, 3]), /must have a "shape"/],
    ['a broken dimension', x([1, 2, 3], [1.5, 2]), /must have a "shape"/],
    ['no dimension', x([1], []), /must have a "shape"/],
    ['a shape beyond all memory', x([1], [2 ** 40, 2 ** 40]), /has 1 values, but the shape/],
    ['no rows', x([], [0, 3]), /has no rows/],
    ['data that is no list', x('1,2,3'), /must have a list as its "data"/],
    ['a string among floats', x([1, '2', 3]), /value 1: the model takes a float32 number, but found the string "2"/],
    ['neither data nor bytes', x(undefined), /either "data" or/],
    ['data and bytes', { inputs: [{ ...binaryX(12).inputs[0], data: [1, 2, 3] }] }, /either "data" or/, [three]],
    ['bytes that are announced but missing', binaryX(12), /Inference-Header-Content-Length is missing/],
    ['a negative size', binaryX(-1), /binary_data_size -1/, [three]],
    ['a size that is no number', binaryX('12'), /binary_data_size "12"/, [three]],
    ['more bytes announced than there are', binaryX(13), /said to have 13 bytes, but only 12 .* are left/, [three]],
    ['bytes that do not fill the shape', binaryX(8), /has 8 bytes, but FP32 of the shape \[1, 3\] are 12/, [three]],
    ['bytes that belong to no input', binaryX(12), /1 bytes more than its inputs say/, [three, Buffer.of(0)]],
    ['NaN in bytes', binaryX(12), /value 1: NaN is not a finite number/, [bytesOf(Float32Array.of(1, NaN, 3))]],
    ['a parameter list', { ...x([1, 2, 3]), parameters: [] }, /"parameters" of the request must be an object/],
    ['an id that is a number', { ...x([1, 2, 3]), id: 1 }, /"id" of the request must be a string/],
    ['an unknown output', { ...x([1, 2, 3]), outputs: [{ name: 'z' }] }, /no output "z"; it gives "y"/],
    ['an output twice', { ...x([1, 2, 3]), outputs: [{ name: 'y' }, { name: 'y' }] }, /"y" is asked for twice/],
    ['outputs that are no list', { ...x([1, 2, 3]), outputs: 'y' }, /"outputs" of the request must be a list/],
    ['classification', output({ classification: 3 }), /Classification of output "y" is not supported/],
    ['shared memory', output({ shared_memory_region: 'r' }), /Shared memory for output "y" is not supported/],
    ['a wish for bytes that is no boolean', output({ binary_data: 1 }), /"binary_data" of output "y" must be true/],
    ['a sequence', { ...x([1, 2, 3]), parameters: { sequence_id: 7 } }, /Sequences are not supported/],
  ];

  function output(parameters: object): unknown {
    return { ...x([1, 2, 3]), outputs: [{ name: 'y', parameters }] };
  }

  it.each(cases)('%s', async (_name, request, sentence, binary) => {
    const { ask, refusal, records } = await setup(sum);
    const answer = refusal(request, binary);
    expect(answer).toMatch(/^invalid_input: /);
    expect(answer).toMatch(sentence);
    expect(records).toEqual([]);
    expect(ask(x([1, 2, 3])).json).toMatchObject({ outputs: [{ data: [6] }] });
  });

  it('whatever else is sent, in JSON and behind it', async () => {
    const { ask, refusal } = await setup(sum);
    const key = fc.constantFrom('id', 'inputs', 'outputs', 'parameters', 'name', 'shape', 'datatype', 'data');
    const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('x', 'y', 'FP32', 'BYTES', [1, 3], 12));
    const setting = fc.constantFrom('binary_data_size', 'binary_data', 'binary_data_output', 'shared_memory_region');
    const input = fc.record({
      name: fc.constantFrom('x', 'tensor', 'z'),
      shape: fc.oneof(fc.constant([1, 3]), fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 4 }), anything),
      datatype: fc.oneof({ weight: 5, arbitrary: fc.constant('FP32') }, { weight: 1, arbitrary: anything }),
      data: fc.oneof(fc.constant([1, 2, 3]), fc.constant(undefined), anything),
      parameters: fc.oneof(fc.constant(undefined), fc.dictionary(setting, anything), anything),
    });
    const request = fc.oneof(
      fc.dictionary(key, anything),
      fc.record({ inputs: fc.array(input, { maxLength: 3 }), outputs: anything, parameters: anything }),
      fc.record({ inputs: fc.array(input, { minLength: 1, maxLength: 1 }) }),
    );
    fc.assert(
      fc.property(request, fc.uint8Array({ maxLength: 40 }), (sent, tail) => {
        expect(refusal(sent, tail.length === 0 ? [] : [Buffer.from(tail)])).toMatch(/^(invalid_input: |answered$)/);
      }),
      { numRuns: 3_000 },
    );
    expect(ask(x([1, 2, 3])).json).toMatchObject({ outputs: [{ data: [6] }] });
  });

  it.each<[string, Buffer, RegExp]>([
    ['an element that is cut off', Buffer.of(9, 0, 0, 0, 97), /ends in the middle of element 0/],
    ['a length that is cut off', Buffer.of(9, 0), /ends in the middle of element 0/],
    ['too few elements', Buffer.of(1, 0, 0, 0, 97), /must have 2 elements by its shape, but its bytes hold only 1/],
    ['too many elements', Buffer.alloc(12), /must have 2 elements by its shape, but its bytes hold more/],
    ['what is not UTF-8', Buffer.of(1, 0, 0, 0, 255, 0, 0, 0, 0), /element 0 that is not UTF-8/],
  ])('texts: %s', async (_name, bytes, sentence) => {
    const { refusal } = await setup({ name: 'texts', file: identityModel('string', ['N', 2]) });
    expect(refusal(binaryX(bytes.length, [1, 2], 'BYTES'), [bytes])).toMatch(sentence);
  });

  it('a boolean byte that is neither 0 nor 1', async () => {
    const { refusal } = await setup({ name: 'flags', file: identityModel('bool', ['N', 2]) });
    expect(refusal(binaryX(2, [1, 2], 'BOOL'), [Buffer.of(1, 2)])).toMatch(/neither 0 nor 1/);
  });

  it('inputs of different numbers of rows', async () => {
    const { refusal } = await setup(several);
    const inputs = [
      { name: 'a', shape: [2, 1], datatype: 'FP32', data: [1, 2] },
      { name: 'b', shape: [1, 1], datatype: 'FP32', data: [2] },
      { name: 'mask', shape: [2, 1], datatype: 'BOOL', data: [true, true] },
    ];
    expect(refusal({ inputs })).toMatch(/^invalid_input: Input "b" has 1 rows, but "a" has 2/);
    expect(refusal({ inputs: inputs.slice(0, 1) })).toMatch(/^invalid_input: .*needs a column named "b"/);
  });

  it('more rows than one request may have', async () => {
    const { refusal } = await setup(sum);
    const rows = testLimits.rows + 1;
    expect(refusal(x(new Array(rows * 3).fill(1), [rows, 3]))).toMatch(/^too_large: .*10001 rows/);
  });

  it('another version than the one that is served', async () => {
    const { ask, refusal } = await setup(sum);
    const versioned = (version: string) => `/v2/models/pipe/versions/${version}/infer`;
    expect(ask(x([1, 2, 3]), [], versioned('version-1')).json).toMatchObject({ model_version: 'version-1' });
    expect(refusal(x([1, 2, 3]), [], versioned('version-2'))).toBe(
      'not_found: Version "version-2" is not served at the moment; version-1 is.',
    );
  });

  it.each(['', '-1', '1e3', '12345678901'])('a length of the JSON of "%s"', (jsonLength) => {
    const headers = { target, contentType: undefined, accept: undefined, userAgent: undefined, jsonLength };
    expect(told(() => new PlanCache().get(headers))).toMatch(/^invalid_input: .*Inference-Header-Content-Length/);
  });

  it('a length of the JSON beyond the body', async () => {
    const { inferBytes } = await setup(sum);
    const infer = (jsonLength: string) => told(() => inferBytes(JSON.stringify(x([1, 2, 3])), { target, jsonLength }));
    expect(infer('1000')).toMatch(/^invalid_input: .*1000 bytes of the body are JSON, but it has \d+ altogether/);
    expect(infer('0')).toMatch(/^invalid_input: /);
  });
});
