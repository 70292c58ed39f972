import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { passOn } from './pass-on.ts';

type Done = (error?: Error) => void;

/** A socket that tells when what it was given is out, or could not be sent. */
function fakeSocket(): { socket: Socket; finish: Done } {
  let done: Done = () => undefined;
  const write = (_: Buffer, onDone?: Done): boolean => {
    done = onDone ?? done;
    return true;
  };
  return { socket: { write } as unknown as Socket, finish: (error) => done(error) };
}

test('the memory of a piece is given back once it is out, and not before', () => {
  const { socket, finish } = fakeSocket();
  const piece = Buffer.alloc(64 * 1024);
  expect(passOn(socket, piece)).toBe(true);
  expect(piece.length).toBe(64 * 1024);
  finish();
  expect(piece.length).toBe(0);
});

test('a piece that could not be sent may be sent elsewhere, and a part of something larger is left alone', () => {
  const { socket, finish } = fakeSocket();
  const piece = Buffer.alloc(64 * 1024);
  passOn(socket, piece);
  finish(new Error('connect ECONNREFUSED'));
  expect(piece.length).toBe(64 * 1024);
  passOn(socket, piece.subarray(1));
  finish();
  expect(piece.length).toBe(64 * 1024);
});
