import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  answerHead,
  answerWithText,
  type ConnectionTimeouts,
  DeadlineWatch,
  RequestConnection,
  type RequestHandler,
} from './index.ts';

let watch: DeadlineWatch;
const closers: (() => void)[] = [];

beforeEach(() => {
  watch = new DeadlineWatch();
});

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
  watch.stop();
});

interface Asked {
  readonly target: string;
  readonly body: string;
  readonly connection: RequestConnection;
}

/** A server that remembers what it was asked and answers each request with its target and body, at once or later. */
async function setup(options: { isLate?: boolean; timeouts?: ConnectionTimeouts; limitBytes?: number } = {}) {
  const asked: Asked[] = [];
  const connections: RequestConnection[] = [];
  const handler: RequestHandler = {
    admit: () => options.limitBytes ?? 1_000,
    handle(head, body, connection) {
      asked.push({ target: head.target, body: body.toString(), connection });
      if (!options.isLate) reply(asked.at(-1)!);
    },
    refuse: (error) => answerWithText(error.status, 'text/plain', error.message, 'connection: close\r\n'),
  };
  const server: Server = createServer((socket) => {
    connections.push(
      new RequestConnection(socket, handler, { watch, ...(options.timeouts && { timeouts: options.timeouts }) }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const open = (): { socket: Socket; received: () => string } => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString();
    });
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    return { socket, received: () => received };
  };
  return { asked, connections, open };
}

function reply({ target, body, connection }: Asked): void {
  const text = `<${target} ${body}>`;
  connection.answer(Buffer.from(answerHead(200, 'text/plain', text.length) + text));
}

const post = (target: string, body: string): string =>
  `POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

test('pipelined requests are handled one at a time and answered in order', async () => {
  const { asked, open } = await setup({ isLate: true });
  const { socket, received } = open();
  socket.write(post('/1', 'a') + post('/2', 'b') + post('/3', 'c'));
  for (const count of [1, 2, 3]) {
    await expect.poll(() => asked.length).toBe(count);
    reply(asked.at(-1)!);
  }
  await expect.poll(received).toMatch(/<\/1 a>[\s\S]*<\/2 b>[\s\S]*<\/3 c>$/);
});

test('time in which this process was deaf is not held against a caller', async () => {
  const { open } = await setup({ timeouts: { headMs: 600, bodyPauseMs: 600, idleMs: 600 } });
  const begun = open();
  begun.socket.write('POST /c HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n');
  const idle = open();
  idle.socket.write(post('/i', ''));
  await expect.poll(() => [begun.received().length > 0, idle.received().length > 0]).toEqual([true, true]);
  // As while a model runs: what is written here leaves, but is not read, and timers are next.
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      begun.socket.write('ab');
      idle.socket.write(post('/j', 'x'));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
      resolve();
    }),
  );
  await expect.poll(begun.received).toMatch(/<\/c ab>$/);
  await expect.poll(idle.received).toMatch(/<\/j x>$/);
});

test('a run that takes longer than a connection may be idle does not end the connection', async () => {
  const { asked, open } = await setup({ isLate: true, timeouts: { ...quick, idleMs: 2_500 } });
  const { socket, received } = open();
  socket.write(post('/long', ''));
  await expect.poll(() => asked.length).toBe(1);
  setImmediate(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4_000);
    reply(asked[0]!);
  });
  await expect.poll(received, { timeout: 8_000 }).toMatch(/<\/long >$/);
  const answeredAt = watch.now;
  await expect.poll(() => watch.now, { timeout: 5_000 }).toBeGreaterThan(answeredAt);
  socket.write(post('/next', ''));
  await expect.poll(() => asked.length).toBe(2);
});

test('ten thousand requests in one piece do not deepen the stack', async () => {
  const { asked, open } = await setup();
  const { socket, received } = open();
  socket.write(post('/', 'a').repeat(10_000));
  await expect.poll(() => received().split('</ a>').length - 1, { timeout: 10_000 }).toBe(10_000);
  expect(asked).toHaveLength(10_000);
});

test('a body over its limit: 413 before it is sent, and the connection ends', async () => {
  const { asked, open } = await setup();
  const { socket, received } = open();
  const ended = once(socket, 'end');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\nexpect: 100-continue\r\n\r\n');
  await ended;
  expect(received()).toMatch(/^HTTP\/1\.1 413 /);
  expect(asked).toEqual([]);
});

test('a caller that waits for 100 Continue gets it', async () => {
  const { open } = await setup();
  const { socket, received } = open();
  socket.write('POST /c HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n');
  await expect.poll(received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('ab');
  await expect.poll(received).toMatch(/<\/c ab>$/);
});

test('connection: close and HTTP/1.0 end the connection after the answer, however large it is', async () => {
  const { asked, open } = await setup({ isLate: true });
  for (const line of ['GET / HTTP/1.1\r\nhost: x\r\nconnection: close', 'GET / HTTP/1.0']) {
    const { socket, received } = open();
    const ended = once(socket, 'end');
    socket.write(`${line}\r\n\r\n`);
    await expect.poll(() => asked.length).toBe(1);
    const large = Buffer.alloc(8 * 2 ** 20, 'x');
    asked.pop()!.connection.answer(Buffer.concat([Buffer.from(answerHead(200, 'text/plain', large.length)), large]));
    await ended;
    expect(received().length).toBeGreaterThan(large.length);
  }
});

test('the memory of an answer is given back when it is sent, but not the pool that small ones are in', async () => {
  const { asked, open } = await setup({ isLate: true });
  const { socket, received } = open();
  const large = Buffer.from(`${answerHead(200, 'text/plain', 100_000)}${'x'.repeat(100_000)}`);
  const small = Buffer.from(answerHead(200, 'text/plain', 0));
  expect(small.buffer.byteLength).toBeGreaterThan(small.length);
  for (const [count, answer] of [large, small].entries()) {
    socket.write(post('/', 'a'));
    await expect.poll(() => asked.length).toBe(count + 1);
    asked.at(-1)!.connection.answer(answer);
  }
  await expect.poll(() => received().split('HTTP/1.1 200 OK')).toHaveLength(3);
  await expect.poll(() => large.length).toBe(0);
  expect(small.toString()).toBe(answerHead(200, 'text/plain', 0));
});

test('bodies of many pieces arrive as they were sent, one request after the other', async () => {
  const { asked, open } = await setup({ isLate: true, limitBytes: 1_000_000 });
  const { socket } = open();
  const bodies = ['ab', 'cd', 'ef'].map((letters) => letters.repeat(150_000));
  socket.write(bodies.map((body) => post('/', body)).join(''));
  for (const [index, body] of bodies.entries()) {
    await expect.poll(() => asked.length).toBe(index + 1);
    expect(asked[index]!.body === body).toBe(true);
    asked[index]!.connection.answer(Buffer.from(answerHead(200, 'text/plain', 0)));
  }
});

const quick = { headMs: 50, bodyPauseMs: 50, idleMs: 50 };

test.each([
  ['a head', 'GET / HT', /^HTTP\/1\.1 408 /],
  ['a body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\na', /^HTTP\/1\.1 408 /],
  ['the next request', post('/', 'a'), /<\/ a>$/],
])('%s that does not come ends the connection', async (_, bytes, expected) => {
  const { open } = await setup({ timeouts: quick });
  const { socket, received } = open();
  const ended = once(socket, 'end');
  socket.write(bytes);
  await ended;
  expect(received()).toMatch(expected);
});

test('a handler may take its time, whatever the deadlines', async () => {
  const { asked, open } = await setup({ isLate: true, timeouts: quick });
  const { socket, received } = open();
  socket.write(post('/slow', ''));
  await expect.poll(() => asked.length).toBe(1);
  for (let look = 0; look < 3; look++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    watch.look();
  }
  reply(asked[0]!);
  await expect.poll(received).toMatch(/<\/slow >$/);
});

test('closing when idle waits for the answer under way', async () => {
  const { asked, connections, open } = await setup({ isLate: true });
  const [busy, idle] = [open(), open()];
  busy.socket.write(post('/last', ''));
  await expect.poll(() => asked.length + connections.length).toBe(3);
  const ended = Promise.all([once(busy.socket, 'end'), once(idle.socket, 'end')]);
  for (const connection of connections) connection.closeWhenIdle();
  reply(asked[0]!);
  await ended;
  expect(busy.received()).toMatch(/<\/last >$/);
  expect(watch.size).toBe(0);
});
