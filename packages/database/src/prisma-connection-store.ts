import {
  type Connection,
  type ConnectionStore,
  DomainError,
  type NewConnection,
  type SealedDetails,
  type StoredConnection,
} from '@pademelon/domain';
import { isUniqueViolation } from './errors.ts';
import type { Prisma } from './generated/client.ts';
import type { Database } from './prisma.ts';

export class PrismaConnectionStore implements ConnectionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(input: NewConnection): Promise<void> {
    const { id, name, type, createdById, sealed } = input;
    try {
      await this.#database.connection.create({ data: { id, name, type, createdById, ...toColumns(sealed) } });
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      const message = `A connection named ${JSON.stringify(name)} exists already; choose another name.`;
      throw new DomainError('conflict', message, { cause });
    }
  }

  async find(visibleTo: string, key: { name: string } | { id: string }): Promise<StoredConnection | null> {
    const row = await this.#database.connection.findFirst({
      where: { ...key, ...seenBy(visibleTo) },
      include: linksSeenBy(visibleTo),
    });
    return row && { ...toConnection(row), sealed: toSealed(row) };
  }

  async list(visibleTo: string, workspaceId?: number): Promise<Connection[]> {
    const rows = await this.#database.connection.findMany({
      where: {
        AND: [seenBy(visibleTo), workspaceId === undefined ? {} : { workspaces: { some: { workspaceId } } }],
      },
      include: linksSeenBy(visibleTo),
      omit: { sealedDetails: true },
      orderBy: { name: 'asc' },
    });
    return rows.map(toConnection);
  }

  async link(connectionId: string, workspaceId: number): Promise<void> {
    const link = { workspaceId, connectionId };
    await this.#database.workspaceConnection.upsert({
      where: { workspaceId_connectionId: link },
      create: link,
      update: {},
    });
  }

  async unlink(connectionId: string, workspaceId: number): Promise<boolean> {
    const { count } = await this.#database.workspaceConnection.deleteMany({ where: { connectionId, workspaceId } });
    return count > 0;
  }

  async delete(name: string, createdById?: string): Promise<boolean> {
    const where = { name, ...(createdById === undefined ? {} : { createdById }) };
    return (await this.#database.connection.deleteMany({ where })).count > 0;
  }

  async listSealedUnderOthers(
    keyId: string,
    after: string | null,
    limit: number,
  ): Promise<{ id: string; sealed: SealedDetails }[]> {
    const rows = await this.#database.connection.findMany({
      where: { keyId: { not: keyId }, ...(after === null ? {} : { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: limit,
    });
    return rows.flatMap((row) => {
      const sealed = toSealed(row);
      return sealed === null ? [] : [{ id: row.id, sealed }];
    });
  }

  async handOut(runId: string, connectionId: string, { bytes, keyId }: SealedDetails): Promise<boolean> {
    const count = await this.#database.$executeRaw`
      INSERT INTO run_connections (run_id, connection_id, sealed_details, key_id)
      SELECT id, ${connectionId}::uuid, ${Uint8Array.from(bytes)}, ${keyId} FROM runs
      WHERE id = ${runId}::uuid AND state IN ('claimed', 'running')
      FOR SHARE
      ON CONFLICT (run_id, connection_id) DO UPDATE
        SET sealed_details = EXCLUDED.sealed_details, key_id = EXCLUDED.key_id`;
    return count > 0;
  }

  async replaceSealed(id: string, old: SealedDetails, sealed: SealedDetails): Promise<boolean> {
    const { count } = await this.#database.connection.updateMany({
      where: { id, sealedDetails: Uint8Array.from(old.bytes) },
      data: toColumns(sealed),
    });
    return count > 0;
  }
}

/** Whoever made it, and the members of the workspaces that it is linked to. */
function seenBy(userId: string): Prisma.ConnectionWhereInput {
  return {
    OR: [{ createdById: userId }, { workspaces: { some: { workspace: { members: { some: { userId } } } } } }],
  };
}

function linksSeenBy(userId: string) {
  return {
    workspaces: {
      where: { workspace: { members: { some: { userId } } } },
      include: { workspace: { select: { name: true } } },
      orderBy: { createdAt: 'asc' },
    },
  } as const;
}

type Row = Omit<Prisma.ConnectionGetPayload<{ include: ReturnType<typeof linksSeenBy> }>, 'sealedDetails'>;

function toConnection(row: Row): Connection {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    createdById: row.createdById,
    createdAt: row.createdAt,
    workspaces: row.workspaces.map(({ workspaceId, workspace }) => ({ id: workspaceId, name: workspace.name })),
  };
}

function toColumns(sealed: SealedDetails | null) {
  return { sealedDetails: sealed && Uint8Array.from(sealed.bytes), keyId: sealed?.keyId ?? null };
}

function toSealed({ sealedDetails, keyId }: { sealedDetails: Uint8Array | null; keyId: string | null }) {
  return sealedDetails === null || keyId === null ? null : { bytes: sealedDetails, keyId };
}
