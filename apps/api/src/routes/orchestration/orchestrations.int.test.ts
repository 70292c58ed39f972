import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buildZip } from '@pademelon/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { buildForm, createWorkspace, type FormPart, helloZip, uploadZip } from '../../test-orchestration.ts';

let api: TestApi;
let workspaceId: number;
beforeAll(async () => {
  api = await createTestApi();
  workspaceId = await createWorkspace(api, 'ada', 'lab');
});
afterAll(() => api.close());

const post = (verb: string, body: object) => api.post('ada', `/v1/api/orchestration/${verb}`, body);
const sendForm = (parts: readonly FormPart[]) =>
  api.send('ada', { method: 'POST', url: '/v1/api/orchestration/upload', ...buildForm(parts) });

const file: FormPart = { name: 'file', fileName: 'hello.zip', type: 'application/octet-stream', content: helloZip };
const metadata = (extra: object = {}): FormPart => ({
  name: 'metadata',
  type: 'application/json',
  content: JSON.stringify({ workspace_id: workspaceId, name: 'hello', ...extra }),
});

test('an upload is answered with exactly 202, and is there at once, in every list', async () => {
  const uploaded = await uploadZip(api, 'ada', workspaceId);
  expect(uploaded.statusCode).toBe(202);
  const { id } = uploaded.json();
  const expected = {
    id,
    name: 'hello',
    file_name: 'hello.zip',
    file_size: helloZip.length,
    owner_id: 'ada',
    created_by: 'ada@example.org',
    sha: createHash('sha256').update(helloZip).digest('hex'),
    status: 'pending_packaging',
    task_id: null,
    workspace_id: workspaceId,
  };
  expect((await post('get_by_id', { id })).json()).toMatchObject(expected);
  expect((await post('list', { workspace_id: workspaceId })).json()[0]).toMatchObject(expected);
  const all = (await post('list_all', { task_run_status: [], workspace_ids: [workspaceId] })).json().orchestrations;
  expect(all[0]).toMatchObject({ orchestration: expected, tasks: [], workspace: { id: workspaceId, name: 'lab' } });
  expect((await post('get_build_log', { id })).json()).toEqual({ logs: [] });
  const query = `query($id: uuid!) { orchestration_by_pk(id: $id) { id name file_name owner_id sha status task_id
    workspace_id created_at updated_at file_size created_by image_path created_on_version } }`;
  const graphql = await api.post('ada', '/v1/graphql', { query, variables: { id } });
  expect(graphql.json().data.orchestration_by_pk).toMatchObject(expected);
});

test('the build log is read line by line', async () => {
  const { id } = (await uploadZip(api, 'ada', workspaceId)).json();
  await api.database.pool.query("UPDATE orchestrations SET build_log = E'one\\n\\ntwo\\n' WHERE id = $1", [id]);
  expect((await post('get_build_log', { id })).json()).toEqual({ logs: ['one', '', 'two'] });
});

test('the parts of the form come in any order, and the name may be left out', async () => {
  for (const parts of [
    [metadata(), file],
    [file, metadata({ name: null })],
    [file, metadata({ name: undefined })],
  ]) {
    expect((await sendForm(parts)).statusCode).toBe(202);
  }
});

test('the file name is a label: its last part, without what would not be seen', async () => {
  for (const [fileName, label] of [
    ['../../x.zip', 'x.zip'],
    ['C:\\\\temp\\\\y.zip', 'y.zip'],
    [`${'n'.repeat(10_000)}.zip`, 'n'.repeat(255)],
  ] as const) {
    const { id } = (await sendForm([{ ...file, fileName }, metadata()])).json();
    expect((await post('get_by_id', { id })).json().file_name).toBe(label);
  }
});

describe('forms of another make are refused', () => {
  const cases: [string, () => FormPart[]][] = [
    ['no file', () => [metadata()]],
    ['no metadata', () => [file]],
    ['two files', () => [file, file, metadata()]],
    ['another field name', () => [{ ...file, name: 'upload' }, metadata()]],
    ['10,000 fields', () => Array.from({ length: 10_000 }, (_, index) => ({ name: `f${index}`, content: 'x' }))],
    ['metadata that is not JSON', () => [file, { name: 'metadata', content: '{' }]],
    ['metadata twice', () => [metadata(), metadata(), file]],
    ['a workspace that is no number', () => [file, metadata({ workspace_id: '1' })]],
    ['a long name', () => [file, metadata({ name: 'x'.repeat(256) })]],
  ];
  test.each(cases)('%s', async (_what, parts) => {
    const before = (await filesOf()).length;
    const refused = await sendForm(parts());
    expect(refused.statusCode, refused.body).toBe(400);
    expect(refused.json()).toMatchObject({ code: 400, error: 'invalid_input' });
    expect((await filesOf()).length).toBe(before);
  });

  test.each(['multipart/form-data', 'application/json', 'text/html'])('a body of the type %s', async (type) => {
    const refused = await api.send('ada', {
      method: 'POST',
      url: '/v1/api/orchestration/upload',
      headers: { 'content-type': type },
      payload: '{}',
    });
    expect(refused.statusCode).toBeGreaterThanOrEqual(400);
    expect(refused.statusCode).toBeLessThan(500);
  });
});

describe('over a real connection', () => {
  let port: number;
  beforeAll(async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    port = (api.app.server.address() as AddressInfo).port;
  });

  test.each([
    ['a length that is told', (bytes: number) => ({ 'content-length': String(bytes) })],
    ['a length that is not told', () => ({ 'transfer-encoding': 'chunked' })],
  ])('a body of 2 GB with %s is refused early, the connection closed and nothing kept', async (_what, lengthHeader) => {
    const before = await filesOf();
    const { status, sentBytes, isClosed } = await sendEndless(port, lengthHeader(2 * 1024 ** 3));
    expect(status).toBe(413);
    expect(sentBytes).toBeLessThan(300 * 1024 ** 2);
    expect(isClosed).toBe(true);
    await expect.poll(filesOf).toEqual(before);
  });

  test('a client that leaves anywhere leaves nothing', { timeout: 120_000 }, async () => {
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 251));
    const zip = buildZip([
      { name: 'main.py', content: '' },
      { name: 'noise', content: noise, method: 0 },
    ]);
    const { payload, headers } = buildForm([{ ...file, content: zip }, metadata()]);
    const before = await filesOf();
    const count = async () => (await post('list', { workspace_id: workspaceId })).json().length;
    const listed = await count();
    const head = `POST /v1/api/orchestration/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ada\r\ncontent-type: ${headers['content-type']}\r\ncontent-length: ${payload.length}\r\n\r\n`;
    for (let at = 1; at < payload.length; at += Math.ceil(payload.length / 1_000)) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise((sent) => socket.write(Buffer.concat([Buffer.from(head), payload.subarray(0, at)]), sent));
      socket.destroy();
    }
    await expect.poll(filesOf).toEqual(before);
    expect(await count()).toBe(listed);
  });
});

async function filesOf(): Promise<string[]> {
  const entries = await readdir(api.artifactFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** Sends a form that never ends until an answer comes, and tells how that went. */
function sendEndless(
  port: number,
  lengthHeader: Record<string, string>,
): Promise<{ status: number; sentBytes: number; isClosed: boolean }> {
  const { payload, headers } = buildForm([{ ...file, content: '' }]);
  const opening = payload.subarray(0, payload.indexOf('\r\n\r\n') + 4);
  const chunk = Buffer.alloc(1024 ** 2, 'x');
  return new Promise((resolve, reject) => {
    let sentBytes = 0;
    let isOver = false;
    const sending = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/api/orchestration/upload',
      headers: { ...headers, ...lengthHeader, authorization: 'Bearer ada' },
    });
    const push = (): void => {
      while (!isOver && sending.write(chunk)) sentBytes += chunk.length;
      if (!isOver) sending.once('drain', push);
    };
    sending.once('response', (response) => {
      isOver = true;
      response.resume();
      response.socket.once('close', () => resolve({ status: response.statusCode ?? 0, sentBytes, isClosed: true }));
    });
    sending.once('error', (error) => (isOver ? undefined : reject(error)));
    sending.write(opening, push);
  });
}
