import { identityModel, int64Model, multipleInputsModel, sumModel, writeOnnxModel } from '@pademelon/testing/onnx';
import { tableFromIPC, tableFromJSON, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { arrowType, dataPlaneBench, sdkQuery, type TestModel, testTime, versionOf } from './pod-bench.ts';

const benches: { remove: () => void }[] = [];
async function setup(...models: TestModel[]) {
  const bench = await dataPlaneBench(...models);
  benches.push(bench);
  return bench;
}
afterEach(() => {
  for (const bench of benches.splice(0)) bench.remove();
});

const sum = { name: 'sum', file: sumModel(3) };
const old = { userAgent: 'WallarooSDK/2023.2.0' };

describe('answers to pandas records', () => {
  it('have flat names, the input as it was written and the count of failures', async () => {
    const { infer } = await setup(sum);
    expect(infer('[{"tensor":[1, 2.50,3e0]},{"tensor":[4,5,6]}]')).toBe(
      `[{"time":${testTime},"in.tensor":[1, 2.50,3e0],"out.y":[6.5],"anomaly.count":0},` +
        `{"time":${testTime},"in.tensor":[4,5,6],"out.y":[15.0],"anomaly.count":0}]`,
    );
  });

  it("have the 2023 generation's mandatory columns whatever it selects", async () => {
    const { infer } = await setup(sum);
    const target = '/infer?dataset[]=out&dataset.exclude[]=metadata&dataset.separator=.';
    expect(infer('[{"tensor":[1,2,3]}]', { ...old, target })).toBe(
      `[{"time":${testTime},"out.y":[6.0],"check_failures":[]}]`,
    );
    expect(infer('[{"tensor":[1,2,3]}]', { target })).toBe('[{"out.y":[6.0]}]');
  });

  it('are nested and complete for a caller without dataset parameters', async () => {
    const { infer } = await setup(sum);
    expect(JSON.parse(infer('[{"tensor":[1,2,3]}]', { target: '/infer' }))).toEqual([
      {
        time: testTime,
        in: { tensor: [1, 2, 3] },
        out: { y: [6] },
        anomaly: { count: 0 },
        metadata: {
          last_model: JSON.stringify({ model_name: 'sum', model_sha: '0'.repeat(64) }),
          pipeline_version: 'version-1',
          elapsed: [expect.any(Number), expect.any(Number)],
          dropped: [],
          partition: 'pod-1',
        },
      },
    ]);
  });

  it('are the same whether the scanner or the fallback read them', async () => {
    const { infer } = await setup(sum);
    const rows = fc.array(
      fc.array(fc.float({ noNaN: true, min: -(2 ** 100), max: 2 ** 100 }), { minLength: 3, maxLength: 3 }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(rows, (values) => {
        const plain = JSON.stringify(values.map((tensor) => ({ tensor })));
        // An escaped name is the same name, and more than the scanner cares to read.
        const escaped = plain.replaceAll('"tensor"', '"\\u0074ensor"');
        expect(infer(escaped)).toBe(infer(plain));
      }),
    );
  });

  it('are the same for every reader of the same numbers', async () => {
    const { infer, inferBytes } = await setup(sum);
    const arrow = tableToIPC(tableFromJSON([{ tensor: [1.5, 2, 3] }]), 'file');
    const fromArrow = inferBytes(Buffer.from(arrow), { contentType: arrowType, accept: 'application/json' }).toString();
    expect(fromArrow).toBe(infer('[{"tensor":[1.5,2.0,3.0]}]'));
    const table = tableFromIPC(inferBytes('[{"tensor":[1.5,2,3]}]', { accept: arrowType }));
    expect(
      JSON.parse(JSON.stringify(table.toArray(), (_key, value) => (typeof value === 'bigint' ? Number(value) : value))),
    ).toEqual([{ time: testTime, 'in.tensor': [1.5, 2, 3], 'out.y': [6.5], 'anomaly.count': 0 }]);
  });

  it('keep extra columns, which the model does not see', async () => {
    const { infer, records } = await setup(sum);
    expect(infer('[{"index":"row \\"a\\"","tensor":[1,2,3]}]')).toBe(
      `[{"time":${testTime},"in.index":"row \\"a\\"","in.tensor":[1,2,3],"out.y":[6.0],"anomaly.count":0}]`,
    );
    expect(records[0]!.columns.map(({ name, type }) => [name, type])).toEqual([
      ['in.index', 'utf8'],
      ['in.tensor', 'float32'],
      ['out.y', 'float32'],
    ]);
  });
});

describe('inputs', () => {
  it.each(['x', 'tensor'])('reach a model with one input as %s', async (name) => {
    const { infer } = await setup(sum);
    expect(infer(`[{"${name}":[1,2,3]}]`)).toContain(`"in.${name}":[1,2,3],"out.y":[6.0]`);
  });

  it('reach a model by its configured tensor fields, which go before its own names', async () => {
    const { infer } = await setup({ ...sum, tensorFields: ['house'] });
    expect(infer('[{"house":[1,2,3],"x":[9,9,9]}]')).toContain('"out.y":[6.0]');
    expect(infer('[{"x":[9,9,9]}]')).toContain('"out.y":[27.0]');
  });

  it('reach a model with several inputs by their names or by position in the tensor fields', async () => {
    const bench = await setup({ name: 'multi', file: multipleInputsModel() });
    const out = '"out.sum":[5.0],"out.product":[6.0],"out.unmasked":[false]';
    expect(bench.infer('[{"mask":true,"a":2,"b":3}]')).toContain(out);
    expect(bench.infer('[{"a":[2],"b":[3],"mask":[true]}]')).toContain(out);
    const fields = await setup({ name: 'multi', file: multipleInputsModel(), tensorFields: ['p', 'q', 'm'] });
    expect(fields.infer('[{"p":2,"q":3,"m":true}]')).toContain(out);
  });

  it('that are missing are named with what was sent instead', async () => {
    const { infer } = await setup(sum);
    expect(infer('[{"foo":[1,2,3]}]')).toBe(
      'invalid_input: Model "sum" needs a column named "x" or "tensor"; row 0 has "foo".',
    );
    const multi = await setup({ name: 'multi', file: multipleInputsModel() });
    expect(multi.infer('[{"a":1,"mask":true}]')).toBe(
      'invalid_input: Model "multi" needs a column named "b"; row 0 has "a", "mask".',
    );
  });

  it('of Arrow are converted to the type of the model where that loses nothing but precision', async () => {
    const { infer } = await setup({ name: 'whole', file: int64Model() });
    const body = (values: number[]) => Buffer.from(tableToIPC(tableFromJSON([{ tensor: values }]), 'file'));
    const headers = { contentType: arrowType, accept: 'application/json' };
    expect(infer(body([1, 2]), headers)).toContain('"out.doubled":[2,4]');
    expect(infer(body([1, 2.5]), headers)).toBe(
      'invalid_input: Row 0, column "tensor", value 1: 2.5 is not a int64 number.',
    );
    expect(infer(body([1, 2, 3]), headers)).toBe(
      'invalid_input: Row 0, column "tensor": the model takes 2 values, but the cell has 3 values.',
    );
  });

  it('of 64 bits lose nothing on the way through', async () => {
    const { infer } = await setup({ name: 'whole', file: int64Model() });
    expect(infer('[{"tensor":[4611686018427387903,-9007199254740993]}]')).toContain(
      '"out.doubled":[9223372036854775806,-18014398509481986]',
    );
  });

  it.each([
    ['string', '"é\\n\\"x\\""', '"é\\n\\"x\\""'],
    ['bool', 'true', 'true'],
    ['float64', '0.1', '0.1'],
    ['uint8', '255', '255'],
    ['int32', '-2147483648', '-2147483648'],
  ] as const)('of type %s come back as they are', async (type, sent, received) => {
    const { infer } = await setup({ name: 'same', file: identityModel(type, ['N', 1]) });
    expect(infer(`[{"tensor":[${sent}]}]`)).toContain(`"out.y":[${received}]`);
  });

  it('of a model exported for one row at a time are run row by row', async () => {
    const { infer } = await setup({ name: 'one', file: identityModel('float32', [1, 2]) });
    expect(infer('[{"tensor":[1,2]},{"tensor":[3,4]}]')).toMatch(/"out.y":\[1\.0,2\.0\].*"out.y":\[3\.0,4\.0\]/);
  });
});

describe('pipelines of several steps', () => {
  it('feed the outputs of one model to the next', async () => {
    const { infer, records } = await setup(sum, { name: 'second', file: identityModel('float32', ['N', 1]) });
    expect(infer('[{"tensor":[1,2,3]}]')).toContain('"out.y":[6.0]');
    expect(records[0]!.lastModel).toMatchObject({ name: 'second' });
  });

  it('refuse outputs that do not fit the next model', async () => {
    const { infer } = await setup(sum, { name: 'wide', file: identityModel('float32', ['N', 2]) });
    expect(infer('[{"tensor":[1,2,3]}]')).toContain('column "y": the model takes 2 values, but the cell has 1 value.');
  });
});

describe('the classic form', () => {
  it.each(['application/json', 'application/json; format=wallaroo'])(
    'is answered with one legacy element (%s)',
    async (contentType) => {
      const { infer } = await setup(sum);
      const [element, ...others] = JSON.parse(infer('{"tensor":[[1,2,3],[4,5,6]]}', { contentType, target: '/infer' }));
      expect(others).toEqual([]);
      expect(element).toEqual({
        model_name: 'sum',
        model_version: versionOf(0),
        pipeline_name: 'pipe',
        outputs: [{ Float: { v: 1, dim: [2, 1], data: [6, 15] } }],
        elapsed: expect.any(Number),
        time: testTime,
        original_data: {
          tensor: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
        check_failures: [],
        shadow_data: {},
      });
    },
  );
});

describe('records of the log', () => {
  it('hold the answered rows with the time of the answer', async () => {
    const { infer, records } = await setup(sum);
    infer('[{"tensor":[1,2,3]},{"tensor":[4,5,6]}]', { target: '/infer?dataset[]=time' });
    expect(records).toMatchObject([{ timeMs: testTime, rowCount: 2, checkFailures: null, lastModel: { name: 'sum' } }]);
    const [input, output] = records[0]!.columns;
    expect([input!.name, [...(input!.values as Float32Array)]]).toEqual(['in.tensor', [1, 2, 3, 4, 5, 6]]);
    expect([output!.name, [...(output!.values as Float32Array)]]).toEqual(['out.y', [6, 15]]);
  });

  it('are not made for refused requests', async () => {
    const { infer, records } = await setup(sum);
    expect(infer('[{"tensor":[1,2]}]')).toMatch(/^invalid_input/);
    expect(records).toEqual([]);
  });
});

describe('models that fail', () => {
  it('say so in one sentence without our paths, and go on serving', async () => {
    const gather = writeOnnxModel({
      graph: {
        nodes: [{ op: 'Gather', inputs: ['table', 'x'], outputs: ['y'] }],
        inputs: [{ name: 'x', type: 'int64', shape: ['N', 1] }],
        outputs: [{ name: 'y', shape: ['N', 1] }],
        initializers: [{ name: 'table', type: 'float32', dims: [2], raw: Buffer.alloc(8) }],
      },
    });
    const { infer } = await setup({ name: 'gather', file: gather });
    const refusal = infer('[{"tensor":[5]}]');
    expect(refusal).toMatch(/^model_rejected: Model "gather" failed on this input: .*out of.*bounds/);
    expect(refusal).not.toMatch(/onnxruntime_src|\/tmp/);
    expect(infer('[{"tensor":[1]}]', { target: sdkQuery })).toContain('"out.y":[0.0]');
  });
});
