import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FetchedArtifacts } from './fetched-artifacts.ts';

const sha = 'a'.repeat(64);
let server: Server;

afterEach(() => server.close());

/** An API that answers downloads with `answer`, and an empty artifact store that remembers what it received. */
async function setup(answer: { status: number; body: string }) {
  const requests: string[] = [];
  server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stored = new Map<string, string>();
  const files = new FetchedArtifacts({
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    internalKey: 'key',
    artifacts: {
      find: async (wanted) => (stored.has(wanted) ? `/store/${wanted}` : null),
      receive: async (wanted, content) => {
        stored.set(wanted, await new Response(content).text());
        return `/store/${wanted}`;
      },
    },
  });
  return { files, requests, stored };
}

test('a missing file is downloaded once, however many ask for it, and then found', async () => {
  const { files, requests, stored } = await setup({ status: 200, body: 'model' });
  expect(await Promise.all([files.provide(sha), files.provide(sha)])).toEqual([`/store/${sha}`, `/store/${sha}`]);
  expect(await files.provide(sha)).toBe(`/store/${sha}`);
  expect(requests).toEqual([`/internal/artifacts/${sha} Bearer key`]);
  expect(stored.get(sha)).toBe('model');
});

test('a refusal is told as unavailable and tried again by the next who asks', async () => {
  const { files, requests } = await setup({ status: 404, body: '' });
  await expect(files.provide(sha)).rejects.toMatchObject({
    word: 'unavailable',
    message: expect.stringContaining('404'),
  });
  await expect(files.provide(sha)).rejects.toMatchObject({ word: 'unavailable' });
  expect(requests).toHaveLength(2);
});

test('an API that cannot be reached is told without its address', async () => {
  const { files } = await setup({ status: 200, body: '' });
  await new Promise((resolve) => server.close(resolve));
  await expect(files.provide(sha)).rejects.toThrow('The file could not be fetched from the API.');
});
