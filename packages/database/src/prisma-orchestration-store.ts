import { channels, type OrchestrationStatus } from '@pademelon/contracts';
import type { NewOrchestration, Orchestration, OrchestrationStore } from '@pademelon/domain';
import type { Prisma } from './generated/client.ts';
import type { Database } from './prisma.ts';

type Row = Prisma.OrchestrationGetPayload<{ omit: { buildLog: true } }>;

export class PrismaOrchestrationStore implements OrchestrationStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(input: NewOrchestration): Promise<void> {
    await this.#database.$transaction([
      this.#database.orchestration.create({
        data: { ...input, sizeBytes: BigInt(input.sizeBytes), status: 'pending_packaging' },
      }),
      this.#database.$executeRaw`SELECT pg_notify(${channels.orchestrations}, '')`,
    ]);
  }

  async find(visibleTo: string, id: string): Promise<Orchestration | null> {
    const [found] = await this.#read({ id, ...seenBy(visibleTo) });
    return found ?? null;
  }

  async list(visibleTo: string, workspaceIds?: readonly number[]): Promise<Orchestration[]> {
    return this.#read({
      ...seenBy(visibleTo),
      ...(workspaceIds === undefined ? {} : { workspaceId: { in: [...workspaceIds] } }),
    });
  }

  async findBuildLog(visibleTo: string, id: string): Promise<string | null> {
    const where = { id, ...seenBy(visibleTo) };
    const row = await this.#database.orchestration.findFirst({ where, select: { buildLog: true } });
    return row?.buildLog ?? null;
  }

  async #read(where: Prisma.OrchestrationWhereInput): Promise<Orchestration[]> {
    const rows = await this.#database.orchestration.findMany({
      where,
      omit: { buildLog: true },
      orderBy: [{ updatedAt: 'desc' }, { id: 'asc' }],
    });
    const userIds = [...new Set(rows.map((row) => row.createdById))];
    const users =
      userIds.length === 0
        ? []
        : await this.#database.user.findMany({ where: { id: { in: userIds } }, select: { id: true, email: true } });
    const emails = new Map(users.map((user) => [user.id, user.email]));
    return rows.map((row) => toOrchestration(row, emails.get(row.createdById) ?? null));
  }
}

/** Only what is in the user's workspaces exists for them. */
function seenBy(userId: string): Prisma.OrchestrationWhereInput {
  return { workspace: { members: { some: { userId } } } };
}

function toOrchestration(row: Row, createdByEmail: string | null): Orchestration {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    name: row.name,
    fileName: row.fileName,
    sha: row.sha,
    sizeBytes: Number(row.sizeBytes),
    status: row.status as OrchestrationStatus,
    statusReason: row.statusReason,
    createdById: row.createdById,
    createdByEmail,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
