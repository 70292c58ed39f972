import { isPublicAddress } from '@pademelon/runtime';

/** One address that runs may reach although the general rules would refuse it. `host` is a name or an IP address. */
export interface AllowedAddress {
  readonly host: string;
  readonly port: number;
}

export interface EgressPolicy {
  /** Addresses named by the operator, and the platform's own API: reached wherever they are. */
  readonly allowed: readonly AllowedAddress[];
  /**
   * Hosts of linked connections. Any member can link one, so they open a port and never a private network: what the
   * name resolves to must be a public address, unless the operator allows the place too.
   */
  readonly linked: readonly AllowedAddress[];
}

/** `host:port,host:port`, as the setting of that name has it. Throws a sentence that names what is wrong. */
export function parseAllowedAddresses(setting: string, text: string): AllowedAddress[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^(\[[0-9a-f:.]+\]|[^:\s]+):(\d{1,5})$/i.exec(part);
      const port = Number(match?.[2]);
      if (match === null || port < 1 || port > 65_535) {
        throw new Error(`${setting} takes host:port separated by commas, but has ${JSON.stringify(part)}.`);
      }
      return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port };
    });
}

/** Ports that a run may reach anywhere on the public internet. */
const webPorts = new Set([80, 443]);

/** Whether a connection that was asked for by this name may go to this address of it. */
export function mayConnect(policy: EgressPolicy, target: AllowedAddress, address: string): boolean {
  if (names(policy.allowed, target)) return true;
  return isPublicAddress(address) && (webPorts.has(target.port) || names(policy.linked, target));
}

function names(addresses: readonly AllowedAddress[], { host, port }: AllowedAddress): boolean {
  return addresses.some((address) => address.host.toLowerCase() === host.toLowerCase() && address.port === port);
}
