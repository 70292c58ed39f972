import { connect } from 'node:net';
import { expect, inject, it } from 'vitest';
import { logIn } from './support/rest-client.ts';
import { createWorkspace } from './support/rest-flow.ts';

const platform = inject('platform');

it('an upload of one byte a second is cut off with 408 and leaves nothing', { timeout: 60_000 }, async () => {
  const client = await logIn(platform);
  const workspaceId = await createWorkspace(client);
  const { hostname, port } = new URL(platform.url);
  const form =
    '--b\r\ncontent-disposition: form-data; name="file"; filename="slow.zip"\r\n' +
    'content-type: application/octet-stream\r\n\r\nPK';
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/api/orchestration/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${client.token}\r\n` +
      `content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n${form}`,
  );
  const startedAt = performance.now();
  const drip = setInterval(() => socket.write('x'), 1_000);
  let answer = '';
  for await (const bytes of socket.setEncoding('utf8')) answer += bytes;
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ code: 408, msg: expect.any(String) });
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  expect(await client.call('/v1/api/orchestration/list', { workspace_id: workspaceId })).toEqual([]);
});
