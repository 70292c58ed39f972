import type { WorkspaceRole } from '@pademelon/contracts';
import { channels } from '@pademelon/contracts';
import { DomainError, type Workspace, type WorkspaceStore } from '@pademelon/domain';
import { isUniqueViolation } from './errors.ts';
import { notify } from './notify.ts';
import type { Database } from './prisma.ts';

const include = {
  members: { orderBy: { createdAt: 'asc' } },
  models: { select: { id: true }, orderBy: { updatedAt: 'desc' } },
  pipelines: { select: { id: true }, orderBy: { id: 'desc' } },
} as const;

type Row = NonNullable<Awaited<ReturnType<typeof findRow>>>;

function findRow(database: Database, id: number) {
  return database.workspace.findUnique({ where: { id }, include });
}

export class PrismaWorkspaceStore implements WorkspaceStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async create(input: { name: string; createdById: string; isDefault?: boolean }): Promise<Workspace> {
    const { name, createdById } = input;
    try {
      const row = await this.#database.workspace.create({
        data: {
          name,
          createdById,
          members: { create: { userId: createdById, role: 'OWNER' } },
          ...(input.isDefault ? { defaultFor: { create: { userId: createdById } } } : {}),
        },
        include,
      });
      await notify(this.#database, channels.access);
      return toWorkspace(row);
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      // Two first sessions of one user at once: the one that came second takes what the first one made.
      const existing = input.isDefault ? await this.findDefault(createdById) : null;
      if (existing !== null) return existing;
      throw new DomainError(
        'conflict',
        `A workspace named ${JSON.stringify(name)} exists already; choose another name.`,
        {
          cause,
        },
      );
    }
  }

  async findById(id: number): Promise<Workspace | null> {
    const row = await findRow(this.#database, id);
    return row && toWorkspace(row);
  }

  async findByName(name: string): Promise<Workspace | null> {
    const row = await this.#database.workspace.findUnique({ where: { name }, include });
    return row && toWorkspace(row);
  }

  async findDefault(userId: string): Promise<Workspace | null> {
    const row = await this.#database.defaultWorkspace.findUnique({
      where: { userId },
      include: { workspace: { include } },
    });
    return row && toWorkspace(row.workspace);
  }

  async setDefault(userId: string, workspaceId: number): Promise<void> {
    await this.#database.defaultWorkspace.upsert({
      where: { userId },
      create: { userId, workspaceId },
      update: { workspaceId },
    });
  }

  async listForUser(userId: string): Promise<Workspace[]> {
    const rows = await this.#database.workspace.findMany({
      where: { members: { some: { userId } } },
      include,
      orderBy: { id: 'asc' },
    });
    return rows.map(toWorkspace);
  }

  async setMember(workspaceId: number, userId: string, role: WorkspaceRole): Promise<void> {
    await this.#changeMembers(workspaceId, (transaction) =>
      transaction.workspaceMember.upsert({
        where: { workspaceId_userId: { workspaceId, userId } },
        create: { workspaceId, userId, role },
        update: { role },
      }),
    );
  }

  async removeMember(workspaceId: number, userId: string): Promise<boolean> {
    const where = { workspaceId, userId };
    const { count } = await this.#changeMembers(workspaceId, async (transaction) => {
      await transaction.defaultWorkspace.deleteMany({ where });
      return transaction.workspaceMember.deleteMany({ where });
    });
    return count > 0;
  }

  /** Changes of one workspace's members go one after another, so that two owners cannot both leave as not the last. */
  async #changeMembers<T>(workspaceId: number, change: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#database.$transaction(async (transaction) => {
      await transaction.$queryRaw`SELECT id FROM workspaces WHERE id = ${workspaceId} FOR UPDATE`;
      const result = await change(transaction);
      if ((await transaction.workspaceMember.count({ where: { workspaceId, role: 'OWNER' } })) === 0) {
        throw new DomainError('conflict', 'A workspace needs an owner: make another member an owner first.');
      }
      await notify(transaction, channels.access);
      return result;
    });
  }
}

type Transaction = Parameters<Parameters<Database['$transaction']>[0]>[0];

function toWorkspace(row: Row): Workspace {
  return {
    id: row.id,
    name: row.name,
    isArchived: row.isArchived,
    createdById: row.createdById,
    createdAt: row.createdAt,
    members: row.members.map((member) => ({ userId: member.userId, role: member.role as WorkspaceRole })),
    modelIds: row.models.map((model) => model.id),
    pipelineIds: row.pipelines.map((pipeline) => pipeline.id),
  };
}
