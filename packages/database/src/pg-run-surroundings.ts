import type {
  DetailVault,
  HandedOutDetails,
  RunConnection,
  RunSurroundings,
  RunToken,
  RunTokenSigner,
} from '@pademelon/domain';
import type { Pool } from './pool.ts';

export interface PgRunSurroundingsOptions {
  readonly pool: Pool;
  readonly vault: DetailVault;
  readonly tokens: RunTokenSigner;
  /** Told of details that do not open; the run goes on, but what its code prints once it has read them is withheld. */
  readonly onTampered: (connectionId: string, error: unknown) => void;
}

/** What a worker asks of the platform, by plain SQL: workers have no need of Prisma. */
export class PgRunSurroundings implements RunSurroundings {
  readonly #options: PgRunSurroundingsOptions;

  constructor(options: PgRunSurroundingsOptions) {
    this.#options = options;
  }

  async findCode(orchestrationId: string): Promise<{ sha: string } | null> {
    const { rows } = await this.#options.pool.query<{ sha: string }>(
      `SELECT sha FROM orchestrations WHERE id = $1 AND status = 'ready'`,
      [orchestrationId],
    );
    return rows[0] ?? null;
  }

  async listConnections(workspaceId: number): Promise<RunConnection[]> {
    const { rows } = await this.#options.pool.query<ConnectionRow>(
      `SELECT c.id, c.name, c.type, c.sealed_details, c.key_id FROM connections c
       JOIN workspace_connections w ON w.connection_id = c.id WHERE w.workspace_id = $1 ORDER BY c.name`,
      [workspaceId],
    );
    return rows.flatMap((row) => this.#open(row));
  }

  async listHandedOut(runId: string, known: readonly string[]): Promise<HandedOutDetails[]> {
    const { vault, onTampered } = this.#options;
    const { rows } = await this.#options.pool.query<HandedOutRow>(
      `SELECT connection_id, sealed_details, key_id FROM run_connections
       WHERE run_id = $1 AND NOT connection_id = ANY($2::uuid[])`,
      [runId, known],
    );
    return rows.map(({ connection_id: connectionId, sealed_details: bytes, key_id: keyId }) => {
      try {
        return { connectionId, details: vault.open(connectionId, { bytes, keyId }) };
      } catch (error) {
        onTampered(connectionId, error);
        return { connectionId, details: null };
      }
    });
  }

  async issueToken(input: {
    userId: string;
    runId: string;
    attempt: number;
    lifeMs: number;
  }): Promise<RunToken | null> {
    const { rows } = await this.#options.pool.query<{ email: string; tokens_valid_after: Date }>(
      'SELECT email, tokens_valid_after FROM users WHERE id = $1 AND is_enabled',
      [input.userId],
    );
    const user = rows[0];
    if (user === undefined) return null;
    return this.#options.tokens.sign({ ...input, email: user.email, validAfter: user.tokens_valid_after });
  }

  #open({ id, name, type, sealed_details: bytes, key_id: keyId }: ConnectionRow): RunConnection[] {
    if (bytes === null || keyId === null) return [{ name, type, details: null }];
    try {
      return [{ name, type, details: this.#options.vault.open(id, { bytes, keyId }) }];
    } catch (error) {
      this.#options.onTampered(id, error);
      return [];
    }
  }
}

interface HandedOutRow {
  readonly connection_id: string;
  readonly sealed_details: Buffer;
  readonly key_id: string;
}

interface ConnectionRow {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly sealed_details: Buffer | null;
  readonly key_id: string | null;
}
