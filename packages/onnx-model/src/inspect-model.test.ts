import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelVerdict } from '@pademelon/domain';
import {
  bytesField,
  customDomainModel,
  deepSubgraphModel,
  endlessLoopModel,
  externalDataModel,
  hugeAllocationModel,
  identityModel,
  int64Model,
  manyNodesModel,
  multipleInputsModel,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  sumModel,
  varintField,
  writeOnnxModel,
} from '@pademelon/testing/onnx';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectModel } from './inspect-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onnx-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function inspect(bytes: Uint8Array): Promise<ModelVerdict> {
  const path = join(folder, 'model.onnx');
  await writeFile(path, bytes);
  return inspectModel(path);
}

async function reasonOf(bytes: Uint8Array): Promise<string> {
  const verdict = await inspect(bytes);
  if (verdict.isAccepted) throw new Error('The model was accepted.');
  return verdict.reason;
}

const row = { name: 'x', shape: ['N', 1] } as const;
const identity: OnnxGraph = {
  nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  inputs: [row],
  outputs: [{ ...row, name: 'y' }],
};
const model = (changes: Partial<OnnxModel> & { in?: Partial<OnnxGraph> }): Buffer =>
  writeOnnxModel({ graph: { ...identity, ...changes.in }, ...changes });

describe('accepts', () => {
  test('a model, and tells its inputs and outputs, types and symbolic dimensions', async () => {
    expect(await inspect(multipleInputsModel())).toEqual({
      isAccepted: true,
      inspection: {
        signature: {
          inputs: [
            { name: 'a', type: 'float32', shape: ['N', 1] },
            { name: 'b', type: 'float32', shape: ['N', 1] },
            { name: 'mask', type: 'bool', shape: ['N', 1] },
          ],
          outputs: [
            { name: 'sum', type: 'float32', shape: ['N', 1] },
            { name: 'product', type: 'float32', shape: ['N', 1] },
            { name: 'unmasked', type: 'bool', shape: ['N', 1] },
          ],
        },
        opsets: { 'ai.onnx': 17 },
        irVersion: 8,
        nodeCount: 3,
      },
    });
  });

  test.each([
    ['int64', int64Model()],
    ['strings', identityModel('string', ['N', 1])],
    ['graphs nested as deep as ONNX Runtime reads', deepSubgraphModel(31)],
    ['what only shows when it runs: an endless loop', endlessLoopModel()],
    ['what only shows when it runs: a huge allocation', hugeAllocationModel()],
    ['weights of 300 kB, more than the window', model({ in: { initializers: [weight(75_000)] } })],
  ])('%s', async (_, bytes) => {
    expect(await inspect(bytes)).toMatchObject({ isAccepted: true });
  });

  test('a model whose weights have default inputs, which need not be fed', async () => {
    const verdict = await inspect(
      model({ in: { inputs: [row, { name: 'w', shape: [2] }], initializers: [weight(2)] } }),
    );
    expect(verdict).toMatchObject({ inspection: { signature: { inputs: [{ name: 'x' }] } } });
  });

  test('a function of the model itself, whatever its domain', async () => {
    const calls = { nodes: [{ op: 'twice', domain: 'pkg.mine', inputs: ['x'], outputs: ['y'] }] };
    expect(await inspect(model({ in: calls, functions: [fn('twice', 'Identity', '')] }))).toMatchObject({
      isAccepted: true,
      inspection: { nodeCount: 3 },
    });
  });
});

describe('refuses', () => {
  const big = Buffer.alloc(1024 * 1024, 'n').toString();
  test.each([
    ['an empty file', Buffer.alloc(0), /empty/],
    ['a pickle', Buffer.from('8004950c', 'hex'), /Python pickle/],
    ['a zip', Buffer.from('504b030414000000', 'hex'), /zip archive/],
    ['a text', Buffer.from('  <html>no model</html>'), /text file/],
    ['an HDF5 file', Buffer.from('894844460d0a1a0a', 'hex'), /HDF5/],
    ['junk', Buffer.from('f3a1b2c3d4e5f60718293a4b5c6d7e8f', 'hex'), /not an ONNX model/],
    ['another protobuf', Buffer.concat([varintField(1, 8), bytesField(2, 'x')]), /no graph/],
    ['two graphs', Buffer.concat([sumModel(), sumModel()]), /two models/],
    ['a group field', Buffer.concat([sumModel(), Buffer.from([0x23])]), /cannot be understood/],
    ['a graph that is a number', Buffer.concat([varintField(7, 1), sumModel()]), /cannot be understood/],
    ['external data beside it', externalDataModel('weights.bin'), /external data/],
    ['external data in /etc', externalDataModel('/etc/passwd'), /external data/],
    ['external data of the process', externalDataModel('/proc/self/environ'), /external data/],
    ['external data in memory', externalDataModel('*/_ORT_MEM_ADDR_/*'), /external data/],
    ['an unknown domain', customDomainModel('org.example.x'), /"Telepathy" of the domain "org\.example\.x"/],
    ['graphs nested deeper', deepSubgraphModel(32), /nested more than 31 deep/],
    ['graphs nested absurdly deep', deepSubgraphModel(500), /nested more than 31 deep/],
    ['too many operators', manyNodesModel(100_001), /more than 100000 operators/],
    ['a later IR version', model({ irVersion: 99 }), /IR version 99; the newest supported one is 13/],
    ['a later opset', model({ opsets: { '': 999 } }), /version 999 of the operators of ai\.onnx; .* 26/],
    ['a later ML opset', model({ opsets: { 'ai.onnx.ml': 6 } }), /ai\.onnx\.ml/],
    ['opset 0', model({ opsets: { '': 0 } }), /version 0/],
    ['no opset', model({ opsets: {} }), /operator sets/],
    ['no inputs', model({ in: { inputs: [] } }), /no inputs/],
    ['no outputs', model({ in: { outputs: [] } }), /no outputs/],
    ['equal inputs', model({ in: { inputs: [row, row] } }), /two inputs of the same name/],
    ['a nameless output', model({ in: { outputs: [{ ...row, name: '' }] } }), /output without a name/],
    ['a name of 1 MB', model({ in: { inputs: [{ ...row, name: big }] } }), /name or a shape of 1048576 bytes/],
    ['a name with NUL', model({ in: { inputs: [{ ...row, name: 'a\0' }] } }), /NUL/],
    ['100,000 outputs', model({ in: { outputs: ports(100_000) } }), /more than 1000 inputs or outputs/],
    ['float16', model({ in: { inputs: [{ ...row, type: 'float16' }] } }), /"x" has the element type float16/],
    ['huge rows', model({ in: { inputs: [{ ...row, shape: ['N', 2 ** 20, 2 ** 20] }] } }), /more than 268435456/],
    ['negative rows', model({ in: { inputs: [{ ...row, shape: ['N', -1] }] } }), /negative dimension/],
    ['weights that lie', model({ in: { initializers: [{ ...weight(2), dims: [10n ** 12n] }] } }), /brings 8 bytes/],
    ['weights of 2^63', model({ in: { initializers: [{ ...weight(2), dims: [2n ** 63n] }] } }), /negative dimension/],
    ['100 dimensions', model({ in: { initializers: [{ ...weight(1), dims: Array(100).fill(1) }] } }), /dimensions/],
  ])('%s', async (_, bytes, reason) => {
    expect(await reasonOf(bytes)).toMatch(reason);
  });

  test('external data inside an operator and inside a branch', async () => {
    const tensor = { name: 't', type: 'float32', dims: [1], external: 'w.bin' } as const;
    const constant = { op: 'Constant', inputs: [], outputs: ['c'], attributes: [{ name: 'value', tensor }] };
    expect(await reasonOf(model({ in: { nodes: [constant] } }))).toMatch(/external data/);
    const branch = { name: 'then_branch', graph: { nodes: [constant], inputs: [], outputs: [] } };
    const choice = { op: 'If', inputs: ['x'], outputs: ['y'], attributes: [branch] };
    expect(await reasonOf(model({ in: { nodes: [choice] } }))).toMatch(/external data/);
    expect(await reasonOf(model({ functions: [{ ...fn('f', 'Identity', ''), nodes: [constant] }] }))).toMatch(
      /external/,
    );
  });

  test.each([
    ['external_data', bytesField(13, bytesField(1, 'location'))],
    ['data_location', varintField(14, 1)],
  ])('external data that is told by %s alone', async (_, field) => {
    const tensor = Buffer.concat([varintField(1, 1), varintField(2, 1), bytesField(9, Buffer.alloc(4)), field]);
    const file = (initializer: Buffer) => Buffer.concat([varintField(1, 8), bytesField(7, bytesField(5, initializer))]);
    expect(await reasonOf(file(tensor))).toMatch(/external data/);
    expect(await reasonOf(file(tensor.subarray(0, -field.length)))).toMatch(/operator sets/);
  });

  test('a field that reaches over the end of its message', async () => {
    // A graph of 3 bytes whose name claims 100, which the file does have.
    const name = Buffer.from([0x12, 100, 0x61]);
    const bytes = Buffer.concat([varintField(1, 8), bytesField(7, name), Buffer.alloc(200, '!')]);
    expect(await reasonOf(bytes)).toMatch(/cannot be understood/);
  });

  test('an output that is no tensor, with the way out', async () => {
    // TypeProto.sequence_type is field 4; the second output of a scikit-learn classifier is one.
    const output = Buffer.concat([bytesField(1, 'p'), bytesField(2, bytesField(4, ''))]);
    const bytes = Buffer.concat([
      varintField(1, 8),
      bytesField(7, bytesField(12, output)),
      bytesField(8, varintField(2, 17)),
    ]);
    const input = bytesField(11, Buffer.concat([bytesField(1, 'x'), bytesField(2, bytesField(1, varintField(1, 1)))]));
    const whole = Buffer.concat([
      varintField(1, 8),
      bytesField(7, Buffer.concat([input, bytesField(12, output)])),
      bytesField(8, varintField(2, 17)),
    ]);
    expect(await reasonOf(whole)).toMatch(/"p" is a sequence.*zipmap=False/);
    expect(await reasonOf(bytes)).toMatch(/no inputs/);
  });

  test('functions that call themselves, one another, or that explode', async () => {
    const calls = (op: string) => ({ nodes: [{ op, domain: 'pkg.mine', inputs: ['x'], outputs: ['y'] }] });
    const itself = model({ in: calls('f'), functions: [fn('f', 'f')] });
    expect(await reasonOf(itself)).toMatch(/calls itself/);
    const circle = model({ in: calls('f'), functions: [fn('f', 'g'), fn('g', 'f')] });
    expect(await reasonOf(circle)).toMatch(/calls itself/);
    const chain = Array.from({ length: 40 }, (_, level) =>
      fn(`f${level}`, level === 39 ? 'Identity' : `f${level + 1}`),
    );
    const leaf = { ...(chain[39] as OnnxFunction), nodes: fn('f39', 'Identity', '').nodes };
    const bomb = model({ in: calls('f0'), functions: [...chain.slice(0, 39), leaf] });
    expect(await reasonOf(bomb)).toMatch(/once its functions are expanded/);
    const large = { ...fn('f', 'Identity', ''), nodes: Array(20_000).fill(identity.nodes[0]) };
    const often = { nodes: Array(60).fill(calls('f').nodes[0]) };
    expect(await reasonOf(model({ in: often, functions: [large] }))).toMatch(/once its functions are expanded/);
    const deep = Array.from({ length: 66 }, (_, level) => fn(`d${level}`, level === 65 ? 'Identity' : `d${level + 1}`));
    const thin = deep.map((item, level) =>
      level === 65 ? { ...item, nodes: identity.nodes } : { ...item, nodes: item.nodes.slice(0, 1) },
    );
    expect(await reasonOf(model({ in: calls('d0'), functions: thin }))).toMatch(/more than 64 deep/);
  });

  test('a model that is cut off anywhere', async () => {
    const whole = sumModel();
    const path = join(folder, 'cut.onnx');
    await writeFile(path, whole);
    for (let size = whole.length - 1; size >= 0; size--) {
      await truncate(path, size);
      expect(await inspectModel(path), `${size} bytes`).toMatchObject({ isAccepted: false });
    }
  });

  test('a file of 2 GB, without reading it', async () => {
    const path = join(folder, 'large.onnx');
    await writeFile(path, '');
    await truncate(path, 2 ** 31);
    expect(await inspectModel(path)).toMatchObject({ isAccepted: false, reason: expect.stringContaining('2 GB') });
    await rm(path);
  });
});

test('whatever the bytes are, there is a verdict', async () => {
  const whole = multipleInputsModel();
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(changes, async (edits) => {
      const bytes = Buffer.from(whole);
      for (const [index, value] of edits) bytes[index] = value;
      expect(await inspect(bytes)).toHaveProperty('isAccepted');
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect(await inspect(bytes)).toMatchObject({ isAccepted: false });
    }),
    { numRuns: 200 },
  );
});

function weight(values: number) {
  return { name: 'w', type: 'float32', dims: [values] as (number | bigint)[], raw: Buffer.alloc(values * 4) } as const;
}

function ports(count: number) {
  return Array.from({ length: count }, (_, index) => ({ name: `y${index}`, shape: ['N', 1] }));
}

/** A function that uses an operator, one of its own domain unless told otherwise, twice. */
function fn(name: string, op: string, domain = 'pkg.mine'): OnnxFunction {
  return {
    domain: 'pkg.mine',
    name,
    inputs: ['x'],
    outputs: ['y'],
    nodes: [
      { op, domain, inputs: ['x'], outputs: ['m'] },
      { op, domain, inputs: ['m'], outputs: ['y'] },
    ],
  };
}
