import { randomUUID } from 'node:crypto';
import { type Caller, ModelService, PipelineService, TagService, WorkspaceService } from '@pademelon/domain';
import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from './prisma.ts';
import { PrismaModelStore } from './prisma-model-store.ts';
import { PrismaPipelineStore } from './prisma-pipeline-store.ts';
import { PrismaTagStore } from './prisma-tag-store.ts';
import { PrismaWorkspaceStore } from './prisma-workspace-store.ts';

const ada: Caller = { userId: 'ada', email: 'ada@example.org', isAdmin: false };
const bob: Caller = { userId: 'bob', email: 'bob@example.org', isAdmin: false };

let testDatabase: TestDatabase;
let tags: TagService;
let workspaces: WorkspaceService;
let workspaceId: number;
let versionId: number;
let pipelineId: number;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  const database = createDatabase(testDatabase.pool);
  await database.user.createMany({
    data: [ada, bob].map(({ userId: id, email }) => ({ id, email, username: email })),
  });
  workspaces = new WorkspaceService(new PrismaWorkspaceStore(database));
  const modelStore = new PrismaModelStore(database);
  const models = new ModelService(modelStore, workspaces);
  const pipelines = new PipelineService(new PrismaPipelineStore(database), workspaces);
  tags = new TagService({ store: new PrismaTagStore(database), models, pipelines });
  workspaceId = (await workspaces.create(ada, 'lab')).id;
  const { id } = await modelStore.addVersion({
    workspaceId,
    name: 'house',
    createdById: 'ada',
    sha: randomUUID().replaceAll('-', '').padEnd(64, '0'),
    sizeBytes: 1,
    fileName: 'house.onnx',
    status: 'ready',
    visibility: 'private',
    conversion: { framework: 'onnx', requirements: [], pythonVersion: '3.8', arch: 'x86', accel: 'none' },
    inputSchema: null,
    outputSchema: null,
    signature: { inputs: [], outputs: [] },
    runtime: 'onnx',
  });
  versionId = id;
  pipelineId = (await pipelines.addVersion(ada, { workspaceId, name: 'flow', definition: {} })).pipeline.id;
});
afterEach(() => testDatabase.drop());

const notFound = { word: 'not_found' };

test('a tag is seen by whoever made it and by nobody else', async () => {
  const tag = await tags.create(ada, 'gold');
  expect(await tags.list(ada)).toMatchObject([{ id: tag.id, tag: 'gold', ownerId: 'ada' }]);
  expect(await tags.list(bob)).toEqual([]);
  await expect(tags.get(bob, tag.id)).rejects.toMatchObject(notFound);
});

test('a tag is seen by the members of a workspace while it marks something there', async () => {
  const tag = await tags.create(ada, 'gold');
  await workspaces.addMember(ada, workspaceId, 'bob', 'COLLABORATOR');
  expect(await tags.list(bob)).toEqual([]);
  await tags.addToModelVersion(ada, tag.id, versionId);
  expect(await tags.list(bob)).toMatchObject([{ id: tag.id }]);
  await tags.removeFromModelVersion(bob, tag.id, versionId);
  expect(await tags.list(bob)).toEqual([]);
  await tags.addToPipeline(ada, tag.id, pipelineId);
  expect(await tags.get(bob, tag.id)).toMatchObject({ tag: 'gold' });
  await workspaces.removeMember(ada, workspaceId, 'bob');
  expect(await tags.list(bob)).toEqual([]);
});

test('marks are found from the thing and from the tag, newest first', async () => {
  const old = await tags.create(ada, 'old');
  const young = await tags.create(ada, 'young');
  for (const { id } of [old, young]) {
    await tags.addToModelVersion(ada, id, versionId);
    await tags.addToPipeline(ada, id, pipelineId);
  }
  expect(await tags.onModelVersions(ada, [versionId])).toMatchObject([{ tagId: young.id }, { tagId: old.id }]);
  expect(await tags.onPipelines(ada, [pipelineId])).toMatchObject([{ tagId: young.id }, { tagId: old.id }]);
  expect(await tags.modelVersionsWith(ada, [old.id])).toMatchObject([{ modelVersionId: versionId }]);
  expect(await tags.pipelinesWith(ada, [old.id])).toMatchObject([{ pipelineId }]);
  expect(await tags.list(ada)).toMatchObject([{ id: young.id }, { id: old.id }]);
});

test('putting a tag on twice, at once too, marks once; taking it off twice takes it off once', async () => {
  const { id } = await tags.create(ada, 'gold');
  const marks = await Promise.all([1, 2, 3].map(() => tags.addToModelVersion(ada, id, versionId)));
  expect(new Set(marks.map((mark) => mark.id)).size).toBe(1);
  await Promise.all([1, 2, 3].map(() => tags.addToPipeline(ada, id, pipelineId)));
  expect(await tags.onPipelines(ada, [pipelineId])).toHaveLength(1);
  expect(await tags.removeFromModelVersion(ada, id, versionId)).toMatchObject({ tagId: id, modelVersionId: versionId });
  expect(await tags.removeFromModelVersion(ada, id, versionId)).toBeNull();
  expect(await tags.removeFromPipeline(ada, id, pipelineId)).toMatchObject({ pipelineId });
  expect(await tags.removeFromPipeline(ada, id, pipelineId)).toBeNull();
});

test('neither a foreign tag nor a foreign thing can be marked, and nothing of them is told', async () => {
  const adas = await tags.create(ada, 'gold');
  const bobs = await tags.create(bob, 'silver');
  await tags.addToModelVersion(ada, adas.id, versionId);
  await tags.addToPipeline(ada, adas.id, pipelineId);
  for (const [tagId, what] of [
    [adas.id, 'tag'],
    [bobs.id, 'model version'],
  ] as const) {
    const word = { ...notFound, message: expect.stringContaining(what) };
    await expect(tags.addToModelVersion(bob, tagId, versionId)).rejects.toMatchObject(word);
    await expect(tags.removeFromModelVersion(bob, tagId, versionId)).rejects.toMatchObject(word);
  }
  await expect(tags.addToPipeline(bob, bobs.id, pipelineId)).rejects.toMatchObject(notFound);
  await expect(tags.removeFromPipeline(bob, bobs.id, pipelineId)).rejects.toMatchObject(notFound);
  expect(await tags.onModelVersions(bob, [versionId])).toEqual([]);
  expect(await tags.onPipelines(bob, [pipelineId])).toEqual([]);
  expect(await tags.modelVersionsWith(bob, [adas.id])).toEqual([]);
  expect(await tags.pipelinesWith(bob, [adas.id])).toEqual([]);
});

test.each(['', 'n'.repeat(256), 'a\u0000b', 'a\ud800'])('a tag that cannot be kept is refused: %j', async (text) => {
  await expect(tags.create(ada, text)).rejects.toMatchObject({ word: 'invalid_input' });
});

test('ids out of range name nothing', async () => {
  for (const id of [0, -1, 2 ** 63, 1.5]) await expect(tags.get(ada, id)).rejects.toMatchObject(notFound);
});
