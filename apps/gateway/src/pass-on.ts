import type { Socket } from 'node:net';
import { releaseMemory } from '@pademelon/runtime/release-memory';

/** A smaller piece is not worth a callback. */
const leastBytes = 16 * 1024;

/**
 * Writes a piece of a body as it came from another socket and gives its memory back when it is out. The piece is nobody
 * else's then, or a part of something larger, which is left alone; one that could not be sent stays as it is, since it
 * may be sent elsewhere. False when the socket has more than it should.
 */
export function passOn(socket: Socket, piece: Buffer): boolean {
  if (piece.length < leastBytes) return socket.write(piece);
  return socket.write(piece, (error) => {
    if (!error) releaseMemory(piece);
  });
}
