import type { ModelTag, PipelineTag, Tag, TagStore } from '@pademelon/domain';
import type { Prisma } from './generated/client.ts';
import type { Database } from './prisma.ts';

export class PrismaTagStore implements TagStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async create(tag: string, ownerId: string): Promise<Tag> {
    return this.#database.tag.create({ data: { tag, ownerId } });
  }

  async list(visibleTo: string): Promise<Tag[]> {
    return this.#database.tag.findMany({ where: seenBy(visibleTo), orderBy: { id: 'desc' } });
  }

  async findMany(visibleTo: string, ids: readonly number[]): Promise<Tag[]> {
    return this.#database.tag.findMany({ where: { id: { in: [...ids] }, ...seenBy(visibleTo) } });
  }

  async onModelVersions(visibleTo: string, modelVersionIds: readonly number[]): Promise<ModelTag[]> {
    return this.#modelTags({ modelVersionId: { in: [...modelVersionIds] } }, visibleTo);
  }

  async onPipelines(visibleTo: string, pipelineIds: readonly number[]): Promise<PipelineTag[]> {
    return this.#pipelineTags({ pipelineId: { in: [...pipelineIds] } }, visibleTo);
  }

  async modelVersionsWith(visibleTo: string, tagIds: readonly number[]): Promise<ModelTag[]> {
    return this.#modelTags({ tagId: { in: [...tagIds] } }, visibleTo);
  }

  async pipelinesWith(visibleTo: string, tagIds: readonly number[]): Promise<PipelineTag[]> {
    return this.#pipelineTags({ tagId: { in: [...tagIds] } }, visibleTo);
  }

  // The update changes nothing: with it Prisma makes one ON CONFLICT statement, safe for two callers at once.
  async addToModelVersion(tagId: number, modelVersionId: number): Promise<ModelTag> {
    const mark = { modelVersionId, tagId };
    return this.#database.modelTag.upsert({
      where: { modelVersionId_tagId: mark },
      create: mark,
      update: { tagId },
    });
  }

  async addToPipeline(tagId: number, pipelineId: number): Promise<PipelineTag> {
    const mark = { pipelineId, tagId };
    return this.#database.pipelineTag.upsert({ where: { pipelineId_tagId: mark }, create: mark, update: { tagId } });
  }

  async removeFromModelVersion(tagId: number, modelVersionId: number): Promise<ModelTag | null> {
    const where = { modelVersionId_tagId: { modelVersionId, tagId } };
    const mark = await this.#database.modelTag.findUnique({ where });
    if (mark === null) return null;
    const { count } = await this.#database.modelTag.deleteMany({ where: { id: mark.id } });
    return count > 0 ? mark : null;
  }

  async removeFromPipeline(tagId: number, pipelineId: number): Promise<PipelineTag | null> {
    const where = { pipelineId_tagId: { pipelineId, tagId } };
    const mark = await this.#database.pipelineTag.findUnique({ where });
    if (mark === null) return null;
    const { count } = await this.#database.pipelineTag.deleteMany({ where: { id: mark.id } });
    return count > 0 ? mark : null;
  }

  #modelTags(where: Prisma.ModelTagWhereInput, visibleTo: string): Promise<ModelTag[]> {
    const modelVersion = { model: inWorkspaceOf(visibleTo) };
    return this.#database.modelTag.findMany({ where: { ...where, modelVersion }, orderBy: { id: 'desc' } });
  }

  #pipelineTags(where: Prisma.PipelineTagWhereInput, visibleTo: string): Promise<PipelineTag[]> {
    const pipeline = inWorkspaceOf(visibleTo);
    return this.#database.pipelineTag.findMany({ where: { ...where, pipeline }, orderBy: { id: 'desc' } });
  }
}

function inWorkspaceOf(userId: string) {
  return { workspace: { members: { some: { userId } } } };
}

function seenBy(userId: string): Prisma.TagWhereInput {
  return {
    OR: [
      { ownerId: userId },
      { models: { some: { modelVersion: { model: inWorkspaceOf(userId) } } } },
      { pipelines: { some: { pipeline: inWorkspaceOf(userId) } } },
    ],
  };
}
