import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A setting that cannot be used. The message names the variable; processes print it and end with status 1. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings shared by all processes, from the environment. See docs/operations.md for what each means. */
export interface PlatformSettings {
  /** Data folder, absolute. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** Issuer and base of every link; no trailing slash. */
  readonly publicUrl: string;
  readonly databaseUrl: string;
  readonly isAuthOff: boolean;
  readonly secretKey: string | undefined;
  readonly logLevel: string;
}

const loopbackHosts = new Set(['127.0.0.1', 'localhost', '::1']);

/** Reads and checks the shared settings; `databaseUrl` may be given by the launcher for its embedded database. */
export function readPlatformSettings(env: Environment = process.env): PlatformSettings {
  const host = read(env, 'HOST') ?? '127.0.0.1';
  const port = readInteger(env, 'PORT', { fallback: 8080, min: 0, max: 65535 });
  const isAuthOff = readChoice(env, 'AUTH', ['on', 'off'], 'on') === 'off';
  if (isAuthOff && !loopbackHosts.has(host)) {
    throw new SettingError(
      `AUTH=off lets every caller in, so it works on a loopback address only, but HOST is ${host}. Remove AUTH=off or set HOST=127.0.0.1.`,
    );
  }
  return {
    home: resolve(read(env, 'PADEMELON_HOME') ?? '.pademelon'),
    host,
    port,
    publicUrl: (read(env, 'PUBLIC_URL') ?? defaultUrl(host, port)).replace(/\/+$/, ''),
    databaseUrl: read(env, 'DATABASE_URL') ?? '',
    isAuthOff,
    secretKey: read(env, 'PADEMELON_SECRET_KEY'),
    logLevel: readChoice(env, 'LOG_LEVEL', ['debug', 'info', 'warn', 'error'], 'info'),
  };
}

function defaultUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** `NAME`, or the content of the file that `NAME_FILE` names (for container secrets); empty counts as absent. */
export function read(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  if (value) return value;
  const file = env[`${name}_FILE`]?.trim();
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    throw new SettingError(`${name}_FILE names ${file}, which cannot be read.`);
  }
}

export function readInteger(
  env: Environment,
  name: string,
  rule: { fallback: number; min: number; max: number },
): number {
  const text = read(env, name);
  if (text === undefined) return rule.fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < rule.min || value > rule.max) {
    throw new SettingError(
      `${name} must be a whole number from ${rule.min} to ${rule.max}, but is ${JSON.stringify(text)}.`,
    );
  }
  return value;
}

export function readChoice<T extends string>(env: Environment, name: string, choices: readonly T[], fallback: T): T {
  const text = read(env, name);
  if (text === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new SettingError(`${name} must be one of ${choices.join(', ')}, but is ${JSON.stringify(text)}.`);
  }
  return choice;
}

/** What the environments of runs and of Python steps have in common. */
export interface BaseSettings {
  /** Version of the wallaroo SDK. */
  readonly sdkVersion: string;
  /** Major and minor of Python; undefined for what suits the SDK. */
  readonly pythonVersion: string | undefined;
}

export function readBaseSettings(env: Environment): BaseSettings {
  const pythonVersion = read(env, 'PADEMELON_PYTHON_VERSION');
  if (pythonVersion !== undefined && !/^3\.\d{1,2}$/.test(pythonVersion)) {
    throw new SettingError(
      `PADEMELON_PYTHON_VERSION must be a version such as 3.11, but is ${JSON.stringify(pythonVersion)}.`,
    );
  }
  return { sdkVersion: read(env, 'PADEMELON_SDK_VERSION') ?? '2026.1.3', pythonVersion };
}

/** `host:port,host:port` as a list; empty when it is not set. */
export function readAddresses(env: Environment, name: string): string[] {
  const parts = (read(env, name) ?? '').split(',').map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const port = Number(/^(?:\[[0-9a-f:.]+\]|[^:\s[\]]+):(\d{1,5})$/i.exec(part)?.[1]);
      if (port >= 1 && port <= 65_535) return part.toLowerCase();
      throw new SettingError(`${name} takes host:port separated by commas, but has ${JSON.stringify(part)}.`);
    });
}
