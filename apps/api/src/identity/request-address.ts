import type { IncomingMessage } from 'node:http';

const addresses = new WeakMap<IncomingMessage, string>();

/** Remembers where a request comes from, as Fastify sees it behind the gateway, for handlers that see the socket only. */
export function rememberAddress(request: IncomingMessage, address: string): void {
  addresses.set(request, address);
}

export function requestAddress(request: IncomingMessage): string {
  return addresses.get(request) ?? request.socket.remoteAddress ?? 'unknown';
}
