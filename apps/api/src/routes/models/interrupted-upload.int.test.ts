import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase } from '@pademelon/database';
import { findFreePort } from '@pademelon/runtime/ports';
import { createTestDatabase } from '@pademelon/testing';
import { writeOnnxModel } from '@pademelon/testing/onnx';
import { afterEach, expect, test } from 'vitest';
import { createTestApi } from '../../test-api.ts';
import { encodeForm, filePart, formHeaders, metadataPart } from './upload-test-form.ts';

/** A model of 4 MB, so that an upload has a middle. */
const model = writeOnnxModel({
  graph: {
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', shape: ['N', 1] }],
    outputs: [{ name: 'y', shape: ['N', 1] }],
    initializers: [{ name: 'w', type: 'float32', dims: [1_000_000], raw: Buffer.alloc(4_000_000, 1) }],
  },
});

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function fileSizes(folder: string): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(async (file) => (await stat(join(file.parentPath, file.name)).catch(() => null))?.size ?? 0);
  return Promise.all(sizes);
}

/** Begins an upload by either wire and sends the given part of its body; the socket is left open. */
async function beginUpload(port: number, wire: 'stream' | 'form', workspaceId: number, share: number): Promise<Socket> {
  const body = wire === 'stream' ? model : encodeForm([metadataPart(workspaceId), filePart(model)]);
  const path =
    wire === 'stream'
      ? `/v1/api/models/upload_stream?filename=house.onnx&name=house&workspace_id=${workspaceId}`
      : '/v1/api/models/upload';
  const type = wire === 'stream' ? [] : [`content-type: ${formHeaders['content-type']}`];
  const socket = connect(port, '127.0.0.1');
  cleanUps.push(async () => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: x',
    'authorization: Bearer ada',
    `content-length: ${body.length}`,
    ...type,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(body.subarray(0, Math.floor(body.length * share)));
  return socket;
}

test.each([
  ['stream', 0.01],
  ['stream', 0.5],
  ['stream', 0.999],
  ['form', 0.01],
  ['form', 0.5],
  ['form', 0.999],
] as const)('an upload by %s whose client leaves at %d of it leaves nothing', async (wire, share) => {
  const api = await createTestApi();
  cleanUps.push(api.close);
  const { workspace_id } = (await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'lab' })).json();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.app.server.address() as AddressInfo;
  const socket = await beginUpload(port, wire, workspace_id, share);
  await expect.poll(async () => Math.max(0, ...(await fileSizes(api.artifactFolder)))).toBeGreaterThan(10_000);
  socket.destroy();
  await expect.poll(() => fileSizes(api.artifactFolder)).toEqual([]);
  const list = await api.post('ada', '/v1/api/models/list', { workspace_id });
  expect(list.json()).toEqual({ models: [] });
});

test('kill -9 of the API in the middle leaves nothing visible, and the same upload succeeds afterwards', async () => {
  const database = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), 'pademelon-home-'));
  cleanUps.push(() => rm(home, { recursive: true, force: true, maxRetries: 10 }), database.drop);
  await createDatabase(database.pool).user.create({
    data: { id: 'ada', email: 'ada@example.org', username: 'ada@example.org' },
  });

  const first = await startApi(database.url, home);
  const created = await post(first.port, '/v1/api/workspaces/create', { workspace_name: 'lab' });
  const workspaceId = created['workspace_id'] as number;
  const sockets = [
    await beginUpload(first.port, 'stream', workspaceId, 0.5),
    await beginUpload(first.port, 'form', workspaceId, 0.5),
  ];
  const artifacts = join(home, 'artifacts');
  // Both are under way: half of each is on disk.
  await expect.poll(async () => (await fileSizes(artifacts)).filter((size) => size > 1_000_000).length).toBe(2);
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  for (const socket of sockets) socket.destroy();

  const second = await startApi(database.url, home);
  expect(await post(second.port, '/v1/api/models/list', { workspace_id: workspaceId })).toEqual({ models: [] });
  const upload = await beginUpload(second.port, 'stream', workspaceId, 1);
  const [answer] = await once(upload, 'data');
  expect(String(answer)).toContain('HTTP/1.1 200 OK');
  upload.destroy();
  const listed = await post(second.port, '/v1/api/models/list', { workspace_id: workspaceId });
  expect(listed).toMatchObject({
    models: [{ name: 'house', model_versions: [{ model_version: { status: 'ready' } }] }],
  });
  second.process.kill('SIGTERM');
  await once(second.process, 'exit');
});

/** The real process, with AUTH=off so that whoever calls is ada. */
async function startApi(databaseUrl: string, home: string): Promise<{ process: ChildProcess; port: number }> {
  const port = await findFreePort();
  const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', main], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      NODE_NO_WARNINGS: '1',
      DATABASE_URL: databaseUrl,
      PADEMELON_HOME: home,
      PADEMELON_API_PORT: `${port}`,
      AUTH: 'off',
      LOG_LEVEL: 'error',
    },
  });
  cleanUps.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  await once(child, 'message');
  return { process: child, port };
}

async function post(port: number, path: string, body: object): Promise<Record<string, unknown>> {
  const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false });
  sent.end(JSON.stringify(body));
  const [reply] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}
