import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { DeadlineWatch } from '@pademelon/http1';
import { afterEach, expect, it } from 'vitest';
import { type ResponseReceiver, UpstreamConnection } from './upstream-connection.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

/** A connection, and the server's end of it. */
async function setup(): Promise<{ connection: UpstreamConnection; server: Socket }> {
  const listener = createServer().listen(0, '127.0.0.1');
  cleanUps.push(() => listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const watch = new DeadlineWatch();
  cleanUps.push(() => watch.stop());
  const { port } = listener.address() as AddressInfo;
  const connection = await new Promise<UpstreamConnection>((resolve, reject) => {
    const pool = { release: () => undefined, forget: () => undefined };
    const destination = { host: '127.0.0.1', port };
    UpstreamConnection.open({ destination, watch, connectMs: 5_000, pool }, (made) =>
      made === null ? reject(new Error('no connection')) : resolve(made),
    );
  });
  const [server] = await accepted;
  cleanUps.push(
    () => connection.destroy(),
    () => server.destroy(),
  );
  return { connection, server };
}

/** A receiver that keeps views of what it gets, and says whether it still needs them. */
class Holder implements ResponseReceiver {
  readonly pieces: Buffer[] = [];
  isDone = false;
  isLost = false;
  sent: () => void = () => undefined;
  readonly #holds: boolean;

  constructor(holds: boolean) {
    this.#holds = holds;
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

  onResponseHead(): null {
    return null;
  }
  onInterimResponse(): void {}
  onResponseBytes(bytes: Buffer | string): void {
    this.pieces.push(bytes as Buffer);
  }
  isHolding(): boolean {
    return this.#holds;
  }
  whenSent(onSent: () => void): void {
    this.sent = onSent;
  }
  onResponseEnd(): void {
    this.isDone = true;
  }
  onUpstreamLost(): void {
    this.isLost = true;
  }
  onUpstreamDrain(): void {}
}

const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

async function ask(connection: UpstreamConnection, server: Socket, holder: Holder, body: string): Promise<void> {
  connection.begin(holder, { answersHead: false });
  server.write(answer(body));
  await expect.poll(() => holder.isDone).toBe(true);
}

it('leaves what is still to be sent as it is while it reads the next response', async () => {
  const { connection, server } = await setup();
  const slow = new Holder(true);
  await ask(connection, server, slow, 'a'.repeat(100));
  const next = new Holder(true);
  await ask(connection, server, next, 'b'.repeat(100));
  expect(slow.text).toBe(answer('a'.repeat(100)));
  expect(next.text).toBe(answer('b'.repeat(100)));
});

it('reads again into memory of which all is sent', async () => {
  const { connection, server } = await setup();
  const first = new Holder(true);
  await ask(connection, server, first, 'first');
  first.sent();
  const second = new Holder(true);
  await ask(connection, server, second, 'second');
  const third = new Holder(false);
  await ask(connection, server, third, 'third');
  expect(third.pieces[0]!.buffer).toBe(first.pieces[0]!.buffer);
  const fourth = new Holder(false);
  await ask(connection, server, fourth, 'fourth');
  expect(fourth.pieces[0]!.buffer).toBe(third.pieces[0]!.buffer);
});

it('puts a head together that comes in pieces', async () => {
  const { connection, server } = await setup();
  const holder = new Holder(false);
  connection.begin(holder, { answersHead: false });
  const text = answer('whole');
  for (const piece of [text.slice(0, 20), text.slice(20, 30), text.slice(30)]) {
    const before = connection.socket.bytesRead;
    server.write(piece);
    await expect.poll(() => connection.socket.bytesRead).toBe(before + piece.length);
  }
  await expect.poll(() => holder.isDone).toBe(true);
  expect(holder.text).toBe(text);
});

it('stops reading while it is paused', async () => {
  const { connection, server } = await setup();
  const holder = new Holder(false);
  connection.begin(holder, { answersHead: false });
  connection.socket.pause();
  server.write(answer('late'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(holder.pieces).toEqual([]);
  connection.socket.resume();
  await expect.poll(() => holder.isDone).toBe(true);
});

it('tells of an end in the middle of a response', async () => {
  const { connection, server } = await setup();
  const holder = new Holder(false);
  connection.begin(holder, { answersHead: false });
  server.end(answer('cut').slice(0, -1));
  await expect.poll(() => holder.isLost).toBe(true);
});
