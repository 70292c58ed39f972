import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** The shape that the SDK's WALLAROO_SDK_CREDENTIALS takes: exactly these two keys. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Undefined when the file is missing or is no credentials file. */
export function readCredentials(file: string): Credentials | undefined {
  try {
    const { username, password } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Credentials>;
    return typeof username === 'string' && typeof password === 'string' ? { username, password } : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the file whole or not at all, readable by its owner only. */
export function writeCredentials(file: string, { username, password }: Credentials): void {
  const draft = `${file}.new`;
  const descriptor = openSync(draft, 'w', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify({ username, password }, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}
