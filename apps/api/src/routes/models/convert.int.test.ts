import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { encodeForm, formHeaders } from './upload-test-form.ts';

let api: TestApi;
/** One connection, used again and again, as the gateway's. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  api = await createTestApi();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  agent.destroy();
  await api.close();
});

const form = (size: number): Buffer =>
  encodeForm([{ name: 'files', content: Buffer.alloc(size, 7), fileName: 'model.bin' }]);

/** As the 2023 SDK sends it: all of the form, then it reads the answer. */
async function convert(path: string, { body = form(1_000), authorization = 'Bearer ada' } = {}) {
  const sent = request({
    ...{ host: '127.0.0.1', port: (api.app.server.address() as AddressInfo).port, path, method: 'POST', agent },
    headers: {
      ...formHeaders,
      'content-length': body.length,
      'user-agent': 'WallarooSDK/2023.2.0',
      user_id: 'ada',
      user_email: 'ada@example.org',
      authorization,
    },
  });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.end(body);
  await once(sent, 'finish');
  const [reply] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk);
  return {
    status: reply.statusCode,
    reason: reply.statusMessage,
    json: JSON.parse(Buffer.concat(chunks).toString()),
    isReused: sent.reusedSocket,
  };
}

test.each([
  ['keras?config=eyJuYW1lIjoiaG91c2UifQ%3D%3D', 'keras', 'tf2onnx'],
  ['sklearn?name=house&number_of_columns=18&input_type=float32&workspace_id=1', 'sklearn', 'skl2onnx'],
  ['xgboost?name=house&number_of_columns=18&input_type=float32&workspace_id=1', 'xgboost', 'onnxmltools'],
])('convert/%s is refused with what to do instead, in the status line too', async (path, framework, exporter) => {
  const { status, reason, json } = await convert(`/v1/convert/${path}`);
  expect({ status, word: json.error }).toEqual({ status: 422, word: 'unsupported' });
  expect(json.msg).toContain(`Models of the framework "${framework}" are not supported`);
  expect(json.msg).toContain(`for example with ${exporter}`);
  expect(reason).toBe(json.msg);
});

test('a large model is taken off the wire, so that its sender reads the answer and the connection lives', async () => {
  const large = await convert('/v1/convert/sklearn', { body: form(32 * 2 ** 20) });
  expect(large.status).toBe(422);
  expect(await convert('/v1/convert/sklearn')).toMatchObject({ status: 422, isReused: true });
});

test('without a caller it is a matter of logging in, whatever is sent', async () => {
  expect(await convert('/v1/convert/keras', { authorization: 'Bearer nobody' })).toMatchObject({ status: 401 });
});
