import type { RunConnection } from '@pademelon/domain';
import type { AllowedAddress } from '@pademelon/workbench';

const defaultPorts: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'postgres:': 5432,
  'postgresql:': 5432,
  'mysql:': 3306,
  'redis:': 6379,
  'mongodb:': 27017,
  'amqp:': 5672,
  'ftp:': 21,
};

const portsByType: readonly (readonly [RegExp, number])[] = [
  [/postgres/i, 5432],
  [/mysql|maria/i, 3306],
  [/redis/i, 6379],
  [/mongo/i, 27017],
  [/mssql|sqlserver/i, 1433],
  [/snowflake|s3|http|bigquery/i, 443],
];

/**
 * The hosts that a linked connection names: URLs anywhere in its details, and `host` with `port` (or the port that is
 * usual for its type). Whoever may link a connection to a workspace decides with it what the workspace's runs reach.
 */
export function addressesOf(connection: RunConnection): AllowedAddress[] {
  const found: AllowedAddress[] = [];
  visit(connection.details, (record) => {
    for (const value of Object.values(record)) if (typeof value === 'string') found.push(...fromUrl(value));
    const host = textOf(record['host'] ?? record['hostname'] ?? record['server']);
    if (host === null || /[/\s]/.test(host)) return;
    const [, name = host, inline] = /^\[(.*)\](?::(.*))?$/.exec(host) ?? /^([^:]*)(?::([^:]*))?$/.exec(host) ?? [];
    const port = Number(record['port'] ?? inline ?? portsByType.find(([type]) => type.test(connection.type))?.[1]);
    if (name !== '' && isPort(port)) found.push({ host: name, port });
  });
  return found;
}

function visit(value: unknown, see: (record: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) see(value as Record<string, unknown>);
  for (const part of Object.values(value)) visit(part, see);
}

function fromUrl(text: string): AllowedAddress[] {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return [];
  const { protocol, hostname, port } = new URL(text);
  const number = Number(port || defaultPorts[protocol.replace(/\+.*:/, ':')]);
  return hostname !== '' && isPort(number) ? [{ host: hostname.replace(/^\[|\]$/g, ''), port: number }] : [];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
