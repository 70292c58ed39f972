import { readdir } from 'node:fs/promises';
import { customDomainModel, externalDataModel, manyNodesModel, sumModel } from '@pademelon/testing/onnx';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { encodeForm, type FormPart, filePart, formHeaders, metadataPart, sendForm } from './upload-test-form.ts';

const model = sumModel();
let api: TestApi;
let workspaceId: number;

beforeAll(async () => {
  api = await createTestApi({ maxModelBytes: 100_000 });
  workspaceId = (await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'lab' })).json().workspace_id;
});
afterAll(() => api.close());

const upload = '/v1/api/models/upload';
const stream = (changes: Record<string, string> = {}, payload: Buffer | string = model): InjectOptions => ({
  method: 'POST',
  url: '/v1/api/models/upload_stream',
  query: { filename: 'house.onnx', name: 'house', visibility: 'private', workspace_id: `${workspaceId}`, ...changes },
  payload,
});

function idOf(reply: { json(): unknown }): number {
  const body = reply.json() as { insert_models: { returning: { models: { id: number }[] }[] } };
  return body.insert_models.returning[0]!.models[0]!.id;
}

const script = 'def process_data(input_data):\n    return input_data\n';

async function versionOf(reply: { json(): unknown }) {
  const found = await api.post('ada', '/v1/api/models/get_version_by_id', { model_version_id: idOf(reply) });
  return found.json().model_version;
}

/** Everything that a failed upload must not add to: rows that callers see and files on disk. */
async function traces(): Promise<unknown> {
  const { rows } = await api.database.pool.query('SELECT id FROM model_versions UNION ALL SELECT id FROM models');
  const files = await readdir(api.artifactFolder, { recursive: true, withFileTypes: true });
  return { rows: rows.length, files: files.filter((file) => file.isFile()).length };
}

describe('an ONNX model is ready at once, with a first configuration', () => {
  const expected = {
    model_version: {
      model_id: 'house',
      status: 'ready',
      visibility: 'private',
      file_name: 'house.onnx',
      deployed: false,
      created_by: 'ada@example.org',
      conversion: { framework: 'onnx', python_version: '3.8', arch: 'x86', accel: 'none', requirements: [] },
      file_info: { size: model.length, file_name: 'house.onnx' },
    },
    config: { runtime: 'onnx', tensor_fields: null },
  };

  test('sent as a bare body without a content type', async () => {
    const reply = await api.send('ada', stream());
    expect(reply.statusCode).toBe(200);
    expect(await versionOf(reply)).toMatchObject(expected);
  });

  test.each([
    [200, upload, 'first'],
    [200, upload, 'last'],
    [202, '/v1/api/models/upload_and_convert', 'first'],
  ])('sent as a form, answered %i by %s, with the metadata %s', async (status, url, place) => {
    const parts = [metadataPart(workspaceId), filePart(model)];
    const reply = await api.send('ada', sendForm(url, place === 'first' ? parts : parts.reverse()));
    expect(reply.statusCode).toBe(status);
    expect(await versionOf(reply)).toMatchObject(expected);
  });

  test('sent as a form of plain fields to the bare path', async () => {
    const fields = { name: 'house', filename: 'label.onnx', visibility: 'public', workspace_id: `${workspaceId}` };
    const parts = Object.entries(fields).map(([name, content]): FormPart => ({ name, content }));
    const reply = await api.send('ada', sendForm('/v1/api/models/upload_stream', [filePart(model), ...parts]));
    expect(reply.statusCode).toBe(200);
    expect((await versionOf(reply)).model_version).toMatchObject({ file_name: 'label.onnx', visibility: 'public' });
  });

  test('with metadata that has a file name, as curl sends it from a file', async () => {
    const reply = await api.send(
      'ada',
      sendForm(upload, [{ ...metadataPart(workspaceId), fileName: 'metadata.json' }, filePart(model)]),
    );
    expect(reply.statusCode).toBe(200);
  });

  test('with schemas, which its configurations keep', async () => {
    const metadata = metadataPart(workspaceId, { input_schema: 'aW4=', output_schema: 'b3V0' });
    const reply = await api.send('ada', sendForm(upload, [metadata, filePart(model)]));
    const { config } = await versionOf(reply);
    expect(config).toMatchObject({ input_schema: 'aW4=', output_schema: 'b3V0' });
  });
});

describe('a Python script waits to be packaged', () => {
  const expected = {
    model_version: { status: 'pending_load_native', error_summary: null, conversion: { framework: 'python' } },
    config: { runtime: 'flight' },
  };

  test('known by its ending where nothing else is said', async () => {
    const reply = await api.send('ada', stream({ filename: 'step.py' }, Buffer.from(script)));
    expect(await versionOf(reply)).toMatchObject(expected);
  });

  test.each([upload, '/v1/api/models/upload_and_convert'])('sent as a form to %s', async (url) => {
    const metadata = metadataPart(workspaceId, { conversion: { framework: 'python', requirements: ['scipy'] } });
    const reply = await api.send('ada', sendForm(url, [metadata, filePart(script, 'step.py')]));
    expect(await versionOf(reply)).toMatchObject(expected);
    const log = await api.post('ada', '/v1/api/models/get_upload_logs', { model_version_id: idOf(reply) });
    expect(log.json().logs.at(-1)).toContain('status: pending_load_native');
  });
});

test('the same name again is a new version of the same model, of eight uploads at once too', async () => {
  const replies = await Promise.all(Array.from({ length: 8 }, () => api.send('ada', stream({ name: 'twins' }))));
  const versions = await Promise.all(replies.map(versionOf));
  expect(new Set(versions.map(({ model_version }) => model_version.models_pk_id)).size).toBe(1);
  expect(new Set(versions.map(({ model_version }) => model_version.model_version)).size).toBe(8);
});

describe('refused, leaving neither a row nor a file', () => {
  const conversion = (changes: object) => ({ conversion: { framework: 'onnx', requirements: [], ...changes } });
  const form = (...parts: FormPart[]) => sendForm(upload, parts);
  const good = () => metadataPart(workspaceId);
  const bad = (changes: object) => form(metadataPart(workspaceId, changes), filePart(model));

  test.each<[string, number, string, RegExp, () => InjectOptions]>([
    ['no ONNX model', 422, 'model_rejected', /Python pickle/, () => stream({}, Buffer.from('8004950c', 'hex'))],
    ['an empty file', 422, 'model_rejected', /empty/, () => form(good(), filePart(''))],
    ['a truncated model', 422, 'model_rejected', /truncated/, () => form(good(), filePart(model.subarray(0, 60)))],
    ['external data', 422, 'model_rejected', /external data/, () => form(good(), filePart(externalDataModel()))],
    ['unknown operators', 422, 'model_rejected', /Telepathy/, () => form(good(), filePart(customDomainModel()))],
    ['Keras', 422, 'unsupported', /"keras" are not supported/, () => bad(conversion({ framework: 'keras' }))],
    ['a GPU', 422, 'unsupported', /accelerator "cuda"/, () => bad(conversion({ accel: 'cuda' }))],
    ['a GPU with settings', 422, 'unsupported', /"qaic"/, () => bad(conversion({ accel: { qaic: {} } }))],
    ['no Python script', 422, 'model_rejected', /defines process_data/, () => stream({ filename: 'step.py' })],
    [
      'a script called otherwise',
      422,
      'unsupported',
      /does not end in \.py/,
      () => bad(conversion({ framework: 'python' })),
    ],
    [
      'a script from anywhere',
      400,
      'invalid_archive',
      /options are not allowed/,
      () =>
        form(
          metadataPart(workspaceId, conversion({ framework: 'python', requirements: ['-e .'] })),
          filePart(script, 'step.py'),
        ),
    ],
    ['another ending', 422, 'unsupported', /does not end in \.onnx/, () => stream({ filename: 'house.bin' })],
    [
      'an image',
      422,
      'unsupported',
      /"mlflow"/,
      () => form(metadataPart(workspaceId, { image_path: 'images.example/x' })),
    ],
    [
      'an image, as the 2023 SDK registers it',
      422,
      'unsupported',
      /"mlflow"/,
      () => form({ name: 'image_path', content: 'x' }, { name: 'dummy', content: '', fileName: '' }),
    ],
    ['an unknown framework', 400, 'invalid_input', /conversion\.framework/, () => bad(conversion({ framework: 'R' }))],
    ['no conversion', 400, 'invalid_input', /conversion/, () => bad({ conversion: undefined })],
    ['a name with a slash', 400, 'invalid_input', /"\.\.\/x" cannot be the name/, () => bad({ name: '../x' })],
    ['an empty name', 400, 'invalid_input', /name/, () => stream({ name: '' })],
    ['a name of 10 KB', 400, 'invalid_input', /cannot be the name/, () => bad({ name: 'n'.repeat(10_240) })],
    ['a name with a template', 400, 'invalid_input', /cannot be the name/, () => bad({ name: '{{7*7}}' })],
    ['a workspace as text', 400, 'invalid_input', /workspace_id/, () => bad({ workspace_id: `${workspaceId}` })],
    ['a workspace of 1e3', 404, 'not_found', /1000/, () => stream({ workspace_id: '1e3' })],
    ['an unknown workspace', 404, 'not_found', /9999/, () => bad({ workspace_id: 9999 })],
    ['a workspace out of range', 404, 'not_found', /workspace/, () => bad({ workspace_id: 2 ** 53 })],
    ['another visibility', 400, 'invalid_input', /visibility/, () => stream({ visibility: 'all' })],
    ['a NUL in a schema', 400, 'invalid_input', /cannot be stored/, () => bad({ input_schema: 'a\u0000' })],
    ['a file name of 10 KB', 400, 'invalid_input', /255/, () => stream({ filename: `${'f'.repeat(10_240)}.onnx` })],
    ['no file', 400, 'invalid_input', /no part "file"/, () => form(good())],
    ['no metadata', 400, 'invalid_input', /no part "metadata"/, () => form(filePart(model))],
    ['two files', 400, 'invalid_input', /more than one file/, () => form(good(), filePart(model), filePart(model))],
    ['metadata twice', 400, 'invalid_input', /"metadata" twice/, () => form(good(), good(), filePart(model))],
    [
      'a file of another name',
      400,
      'invalid_input',
      /"model"/,
      () => form(good(), { ...filePart(model), name: 'model' }),
    ],
    ['a field of another name', 400, 'invalid_input', /"meta"/, () => form({ name: 'meta', content: '{}' })],
    [
      'metadata that is no JSON',
      400,
      'invalid_input',
      /JSON/,
      () => form({ ...good(), content: '{' }, filePart(model)),
    ],
    ['metadata that is a list', 400, 'invalid_input', /metadata/, () => form({ ...good(), content: '[]' })],
    [
      '10,000 fields',
      400,
      'invalid_input',
      /part "f0"/,
      () => form(...Array.from({ length: 10_000 }, (_, index) => ({ name: `f${index}`, content: 'x' }))),
    ],
    ['a file over the limit', 413, 'too_large', /100000 bytes/, () => form(good(), filePart(manyNodesModel(9_000)))],
    ['a body over the limit', 413, 'too_large', /100000 bytes/, () => stream({}, manyNodesModel(9_000))],
  ])('%s: %i %s', async (_, status, word, message, request) => {
    const before = await traces();
    const reply = await api.send('ada', request());
    expect(reply.json()).toMatchObject({ code: status, error: word, msg: expect.stringMatching(message) });
    expect(reply.statusCode).toBe(status);
    expect(await traces()).toEqual(before);
  });

  test('a form that ends in the middle, or has no boundary, or is none', async () => {
    const before = await traces();
    const whole = encodeForm([metadataPart(workspaceId), filePart(model)]);
    const send = (payload: Buffer, type = formHeaders['content-type']) =>
      api.send('ada', { method: 'POST', url: upload, payload, headers: { 'content-type': type } });
    for (const size of [1, 40, 150, whole.length - model.length, whole.length - 30, whole.length - 5]) {
      const reply = await send(whole.subarray(0, size));
      expect(reply.json(), `${size} bytes`).toMatchObject({ code: 400, error: 'invalid_input' });
    }
    expect((await send(whole, 'multipart/form-data')).json()).toMatchObject({ code: 400, error: 'invalid_input' });
    expect((await send(Buffer.from('{}'), 'application/json')).statusCode).toBe(400);
    expect((await send(whole, 'text/html')).statusCode).toBe(415);
    expect(await traces()).toEqual(before);
  });

  test('without a caller, before anything is read', async () => {
    const reply = await api.app.inject(stream());
    expect(reply.statusCode).toBe(401);
  });

  test('the 2023 SDK reads why in the status line, the newer one in the key error', async () => {
    const request = sendForm(upload, [metadataPart(workspaceId), filePart('')]);
    const older = await api.send('ada', {
      ...request,
      headers: { ...formHeaders, 'user-agent': 'WallarooSDK/2023.2.0' },
    });
    expect(older.statusMessage).toBe('The file is empty.');
    const newer = await api.send('ada', {
      ...request,
      headers: { ...formHeaders, 'user-agent': 'WallarooSDK/2026.1.3' },
    });
    expect(newer.json()).toMatchObject({ msg: 'The file is empty.', error: 'The file is empty.' });
    expect(newer.statusMessage).toBe('Unprocessable Entity');
  });
});
