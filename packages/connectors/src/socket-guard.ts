// Decides in the probe's process, for every connection that any library in it opens, whether it may. It sits where all
// of them pass (net.Socket.connect), so redirects, token endpoints and names that resolve differently the second time
// are covered without knowing the libraries.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { isIP, Socket } from 'node:net';
import { isPublicAddress } from '@pademelon/runtime';

type LookupCallback = (error: Error | null, address?: string | LookupAddress[], family?: number) => void;

interface ConnectOptions {
  host?: string;
  port?: number | string;
  path?: string | null;
  lookup?: (host: string, options: LookupOptions, callback: LookupCallback) => void;
}

export interface SocketGuard {
  /** How many connections were refused. */
  readonly blockedCount: number;
}

/** `allowed`: `host:port` in lower case, a name as the connection names it or an address, IPv6 in brackets. */
export function guardSockets(allowed: readonly string[]): SocketGuard {
  const allowedSet = new Set(allowed);
  const state = { blockedCount: 0 };
  const isOpen = (host: string, address: string, port: number): boolean =>
    isPublicAddress(address) || allowedSet.has(placeOf(host, port)) || allowedSet.has(placeOf(address, port));
  const block = (): Error => {
    state.blockedCount++;
    return new Error('The address is not on the public internet.');
  };
  const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;

  function guarded(this: Socket, ...args: unknown[]): Socket {
    const options = optionsOf(args);
    const port = Number(options.port);
    const host = (options.host ?? 'localhost').replace(/^\[|\]$/g, '');
    if (options.path || (isIP(host) !== 0 && !isOpen(host, host, port))) {
      const error = block();
      process.nextTick(() => this.destroy(error));
      return this;
    }
    options.lookup = (name, lookupOptions, callback) =>
      lookup(name, { ...lookupOptions, all: true }, (error, addresses) => {
        if (error !== null) callback(error);
        else if (!addresses.every(({ address }) => isOpen(name, address, port))) callback(block());
        else if (lookupOptions.all) callback(null, addresses);
        else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4);
      });
    return connect.apply(this, args);
  }
  Socket.prototype.connect = guarded as typeof Socket.prototype.connect;
  return state;
}

/**
 * The options object that the connect will read, whichever of its forms was used: options, port and host, or the list
 * that net.connect has made of either. The positional forms are turned into options in place.
 */
function optionsOf(args: unknown[]): ConnectOptions {
  const [first, second] = args;
  if (Array.isArray(first)) return first[0] as ConnectOptions;
  if (typeof first === 'object' && first !== null) return first as ConnectOptions;
  const isPort = typeof first === 'number' || /^\d+$/.test(String(first));
  const options: ConnectOptions = isPort
    ? { port: Number(first), ...(typeof second === 'string' ? { host: second } : {}) }
    : { path: String(first) };
  args.splice(0, typeof second === 'string' ? 2 : 1, options);
  return options;
}

function placeOf(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`.toLowerCase();
}
