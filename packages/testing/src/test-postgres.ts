import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalPostgres } from '@pademelon/local-postgres';

export interface TestPostgres {
  /** Connection URL of an empty database. */
  readonly url: string;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

/** A PostgreSQL server of its own in a temporary folder: fast, and not safe against a crash. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-test-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  try {
    const postgres = await startLocalPostgres({ folder, isDurable: false });
    const stop = async (): Promise<void> => {
      await postgres.stop();
      remove();
    };
    return { url: postgres.url, stop };
  } catch (error) {
    remove();
    throw error;
  }
}
