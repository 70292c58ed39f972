import { randomUUID } from 'node:crypto';
import {
  DomainError,
  isUuid,
  type NewPipelineVersion,
  type Pipeline,
  type PipelineDefinition,
  type PipelineFilter,
  type PipelineStore,
  type PipelineVersion,
  type PipelineVersionFilter,
  type PipelineVersionHead,
} from '@pademelon/domain';
import { containing } from './containing.ts';
import { isUniqueViolation } from './errors.ts';
import type { Prisma } from './generated/client.ts';
import type { Database } from './prisma.ts';

const pipelineInclude = { workspace: { select: { name: true } } } as const;
const headInclude = { pipeline: { select: { name: true, workspaceId: true } } } as const;
const withoutDefinition = { definition: true } as const;

type PipelineRow = Prisma.PipelineGetPayload<{ include: typeof pipelineInclude }>;
type HeadRow = Prisma.PipelineVersionGetPayload<{ include: typeof headInclude; omit: typeof withoutDefinition }>;
type VersionRow = Prisma.PipelineVersionGetPayload<{ include: typeof headInclude }>;

export class PrismaPipelineStore implements PipelineStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async addVersion(input: NewPipelineVersion): Promise<{ pipeline: Pipeline; version: PipelineVersion }> {
    const { workspaceId, name, createdById } = input;
    const identity = { workspaceId, name };
    try {
      return await this.#database.$transaction(async (transaction) => {
        const data = { ...identity, ownerId: createdById };
        // Nothing else is selected, so that Prisma makes one ON CONFLICT statement of it, safe for two callers at once.
        const { id } = input.mustBeNew
          ? await transaction.pipeline.create({ data, select: { id: true } })
          : await transaction.pipeline.upsert({
              where: { workspaceId_name: identity },
              create: data,
              update: { updatedAt: new Date() },
              select: { id: true },
            });
        const pipeline = await transaction.pipeline.findUniqueOrThrow({ where: { id }, include: pipelineInclude });
        const definition = input.definition as Prisma.InputJsonObject;
        const version = await transaction.pipelineVersion.create({
          data: { pipelineId: pipeline.id, version: randomUUID(), definition, createdById },
          include: headInclude,
        });
        return { pipeline: toPipeline(pipeline), version: toVersion(version) };
      });
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      const message = `The workspace has a pipeline named ${JSON.stringify(name)} already; choose another name.`;
      throw new DomainError('conflict', message, { cause });
    }
  }

  async findMany(visibleTo: string, ids: readonly number[]): Promise<Pipeline[]> {
    const where = { id: { in: [...ids] }, ...seenBy(visibleTo) };
    return (await this.#database.pipeline.findMany({ where, include: pipelineInclude })).map(toPipeline);
  }

  async list(visibleTo: string, filter: PipelineFilter): Promise<Pipeline[]> {
    const rows = await this.#database.pipeline.findMany({
      where: { AND: [seenBy(visibleTo), matching(filter)] },
      include: pipelineInclude,
      orderBy: { id: 'desc' },
    });
    return rows.map(toPipeline);
  }

  async findVersions(visibleTo: string, ids: readonly number[]): Promise<PipelineVersion[]> {
    const where = { id: { in: [...ids] }, pipeline: seenBy(visibleTo) };
    return (await this.#database.pipelineVersion.findMany({ where, include: headInclude })).map(toVersion);
  }

  async findVersion(visibleTo: string, version: string): Promise<PipelineVersion | null> {
    const where = { version, pipeline: seenBy(visibleTo) };
    const row = await this.#database.pipelineVersion.findFirst({ where, include: headInclude });
    return row && toVersion(row);
  }

  async versionsOf(visibleTo: string, pipelineIds: readonly number[]): Promise<PipelineVersionHead[]> {
    const rows = await this.#database.pipelineVersion.findMany({
      where: { pipelineId: { in: [...pipelineIds] }, pipeline: seenBy(visibleTo) },
      include: headInclude,
      omit: withoutDefinition,
      orderBy: { id: 'desc' },
    });
    return rows.map(toHead);
  }

  async searchVersions(
    visibleTo: string,
    filter: PipelineVersionFilter,
    limit: number,
  ): Promise<PipelineVersionHead[]> {
    const { term, ownerId, createdFrom, createdTo, updatedFrom, updatedTo } = filter;
    const rows = await this.#database.pipelineVersion.findMany({
      where: {
        AND: [
          { pipeline: { AND: [seenBy(visibleTo), matching(filter.pipeline)] } },
          ...(term === '' ? [] : [found(term)]),
          ...(ownerId === undefined ? [] : [{ pipeline: { ownerId } }]),
          { createdAt: between(createdFrom, createdTo) },
          { updatedAt: between(updatedFrom, updatedTo) },
        ],
      },
      include: headInclude,
      omit: withoutDefinition,
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map(toHead);
  }

  async setVisibility(visibleTo: string, id: number, visibility: string): Promise<Pipeline | null> {
    await this.#database.pipeline.updateMany({ where: { id, ...seenBy(visibleTo) }, data: { visibility } });
    const [pipeline] = await this.findMany(visibleTo, [id]);
    return pipeline ?? null;
  }
}

/** The condition of P9: only what is in the user's workspaces exists for them. */
function seenBy(userId: string): Prisma.PipelineWhereInput {
  return { workspace: { members: { some: { userId } } } };
}

function matching({ name, workspaceId, workspaceName, isDeployed }: PipelineFilter): Prisma.PipelineWhereInput {
  return {
    ...(name === undefined ? {} : { name }),
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(workspaceName === undefined ? {} : { workspace: { name: workspaceName } }),
    ...(isDeployed === undefined ? {} : { deployment: isDeployed ? { isDeployed } : { isNot: { isDeployed: true } } }),
  };
}

function found(term: string): Prisma.PipelineVersionWhereInput {
  const text = containing(term);
  return {
    OR: [
      { pipeline: { name: text } },
      { pipeline: { tags: { some: { tag: { tag: text } } } } },
      ...(isUuid(term) ? [{ version: term }] : []),
    ],
  };
}

function between(from: Date | undefined, to: Date | undefined): { gte?: Date; lte?: Date } {
  return { ...(from === undefined ? {} : { gte: from }), ...(to === undefined ? {} : { lte: to }) };
}

function toPipeline({ workspace, ...row }: PipelineRow): Pipeline {
  return { ...row, workspaceName: workspace.name };
}

function toHead({ pipeline, ...row }: HeadRow): PipelineVersionHead {
  return { ...row, pipelineName: pipeline.name, workspaceId: pipeline.workspaceId };
}

function toVersion(row: VersionRow): PipelineVersion {
  return { ...toHead(row), definition: row.definition as unknown as PipelineDefinition };
}
