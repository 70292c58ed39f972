import { randomUUID } from 'node:crypto';
import {
  isUuid,
  type Model,
  type ModelConfig,
  type ModelConfigSettings,
  type ModelStore,
  type ModelVersion,
  type ModelVersionFilter,
  type NewModelVersion,
  type Visibility,
} from '@pademelon/domain';
import { containing } from './containing.ts';
import { Prisma } from './generated/client.ts';
import {
  fromSettings,
  modelInclude,
  toConfig,
  toModel,
  toVersion,
  type VersionRow,
  versionInclude,
} from './model-rows.ts';
import type { Database } from './prisma.ts';

export class PrismaModelStore implements ModelStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async addVersion(input: NewModelVersion): Promise<ModelVersion> {
    const { workspaceId, name, createdById, runtime, inputSchema, outputSchema, ...rest } = input;
    const row = await this.#database.$transaction(async (transaction) => {
      // Nothing else is selected, so that Prisma makes one ON CONFLICT statement of it, safe for two callers at once.
      const { id: modelId } = await transaction.model.upsert({
        where: { workspaceId_name: { workspaceId, name } },
        create: { workspaceId, name, ownerId: createdById },
        update: { updatedAt: new Date() },
        select: { id: true },
      });
      return transaction.modelVersion.create({
        data: {
          ...rest,
          modelId,
          createdById,
          inputSchema,
          outputSchema,
          version: randomUUID(),
          conversion: rest.conversion as unknown as Prisma.InputJsonObject,
          signature: rest.signature === null ? Prisma.DbNull : (rest.signature as unknown as Prisma.InputJsonObject),
          configs: { create: { runtime, inputSchema, outputSchema } },
          ...(input.status === 'ready' ? {} : { build: { create: {} } }),
        },
        include: versionInclude,
      });
    });
    const [version] = await this.#toVersions([row]);
    return version as ModelVersion;
  }

  async findModels(visibleTo: string, ids: readonly number[]): Promise<Model[]> {
    const where = { id: { in: [...ids] }, ...seenBy(visibleTo) };
    return (await this.#database.model.findMany({ where, include: modelInclude })).map(toModel);
  }

  async listModels(
    visibleTo: string,
    { workspaceId, workspaceName }: { workspaceId?: number; workspaceName?: string },
  ): Promise<Model[]> {
    const rows = await this.#database.model.findMany({
      where: { AND: [seenBy(visibleTo), inWorkspace({ workspaceId, workspaceName })] },
      include: modelInclude,
      orderBy: [{ updatedAt: 'desc' }, { id: 'desc' }],
    });
    return rows.map(toModel);
  }

  async findVersions(visibleTo: string, ids: readonly number[]): Promise<ModelVersion[]> {
    const where = { id: { in: [...ids] }, model: seenBy(visibleTo) };
    return this.#toVersions(await this.#database.modelVersion.findMany({ where, include: versionInclude }));
  }

  async versionsOf(visibleTo: string, modelIds: readonly number[]): Promise<ModelVersion[]> {
    const rows = await this.#database.modelVersion.findMany({
      where: { modelId: { in: [...modelIds] }, model: seenBy(visibleTo) },
      include: versionInclude,
      orderBy: { id: 'desc' },
    });
    return this.#toVersions(rows);
  }

  async searchVersions(visibleTo: string, filter: ModelVersionFilter, limit: number): Promise<ModelVersion[]> {
    const { term = '', name, version, ownerId, createdFrom, createdTo } = filter;
    const rows = await this.#database.modelVersion.findMany({
      where: {
        AND: [
          { model: { AND: [seenBy(visibleTo), inWorkspace(filter)] } },
          ...(term === '' ? [] : [found(term)]),
          ...(name === undefined ? [] : [{ model: { name } }]),
          ...(version === undefined ? [] : [{ version }]),
          ...(ownerId === undefined ? [] : [{ createdById: ownerId }]),
          ...(createdFrom === undefined ? [] : [{ createdAt: { gte: createdFrom } }]),
          ...(createdTo === undefined ? [] : [{ createdAt: { lte: createdTo } }]),
        ],
      },
      include: versionInclude,
      orderBy: { id: 'desc' },
      take: limit,
    });
    return this.#toVersions(rows);
  }

  async buildLog(visibleTo: string, id: number): Promise<string> {
    const where = { modelVersionId: id, modelVersion: { model: seenBy(visibleTo) } };
    const build = await this.#database.modelBuild.findFirst({ where, select: { buildLog: true } });
    return build?.buildLog ?? '';
  }

  async setVisibility(visibleTo: string, id: number, visibility: Visibility): Promise<ModelVersion | null> {
    await this.#database.modelVersion.updateMany({ where: { id, model: seenBy(visibleTo) }, data: { visibility } });
    const [version] = await this.findVersions(visibleTo, [id]);
    return version ?? null;
  }

  async addConfig(modelVersionId: number, runtime: string, settings: ModelConfigSettings): Promise<ModelConfig> {
    const data = { modelVersionId, runtime, ...fromSettings(settings) };
    return toConfig(await this.#database.modelConfig.create({ data }));
  }

  async findConfigs(visibleTo: string, ids: readonly number[]): Promise<ModelConfig[]> {
    const where = { id: { in: [...ids] }, modelVersion: { model: seenBy(visibleTo) } };
    return (await this.#database.modelConfig.findMany({ where })).map(toConfig);
  }

  async latestConfigs(visibleTo: string, versionIds: readonly number[]): Promise<ModelConfig[]> {
    const rows = await this.#database.modelVersion.findMany({
      where: { id: { in: [...versionIds] }, model: seenBy(visibleTo) },
      select: { configs: { orderBy: { id: 'desc' }, take: 1 } },
    });
    return rows.flatMap((row) => row.configs.map(toConfig));
  }

  async #toVersions(rows: readonly VersionRow[]): Promise<ModelVersion[]> {
    const userIds = [...new Set(rows.map((row) => row.createdById))];
    const users = await this.#database.user.findMany({
      where: { id: { in: userIds } },
      select: { id: true, email: true },
    });
    const emails = new Map(users.map((user) => [user.id, user.email]));
    return rows.map((row) => toVersion(row, emails));
  }
}

/** The condition of P9: only what is in the user's workspaces exists for them. */
function seenBy(userId: string): Prisma.ModelWhereInput {
  return { workspace: { members: { some: { userId } } } };
}

function inWorkspace(filter: {
  workspaceId?: number | undefined;
  workspaceName?: string | undefined;
}): Prisma.ModelWhereInput {
  const { workspaceId, workspaceName } = filter;
  return {
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(workspaceName === undefined ? {} : { workspace: { name: workspaceName } }),
  };
}

function found(term: string): Prisma.ModelVersionWhereInput {
  const text = containing(term);
  return {
    OR: [
      { model: { name: text } },
      { tags: { some: { tag: { tag: text } } } },
      ...(isUuid(term) ? [{ version: term }] : []),
    ],
  };
}
