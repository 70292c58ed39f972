import type { Socket } from 'node:net';

/** How long a peer may take to read the last bytes, and how long after them what it sends is still swallowed. */
const flushMs = 30_000;
const lingerMs = 1_000;

/**
 * Sends the last bytes and closes, in the way that lets the peer read them: closing with unread bytes in the receive
 * buffer makes the kernel send a reset, which discards an answer that the peer has not read yet. The caller's own
 * `data` listener must be gone.
 */
export function closeGracefully(socket: Socket, lastBytes?: Buffer | string): void {
  if (socket.destroyed) return;
  socket.on('data', () => undefined);
  socket.resume();
  let timer = setTimeout(() => socket.destroy(), flushMs);
  socket.once('finish', () => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), lingerMs);
  });
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroySoon());
  if (lastBytes === undefined) socket.end();
  else socket.end(lastBytes, 'latin1');
}
