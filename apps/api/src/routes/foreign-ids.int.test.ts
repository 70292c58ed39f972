import type { InjectOptions } from 'fastify';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createExecutableSchema } from '../graphql/executable-schema.ts';
import { mutationCases, queryCases } from '../graphql/foreign-id-documents.ts';
import { resolvers } from '../graphql/resolvers/index.ts';
import { createTestApi } from '../test-api.ts';
import { namingNothing, routeCases } from './foreign-ids-cases.ts';
import { makeThings, type Names, spreadIds, unknownNames, withoutNames } from './foreign-ids-world.ts';

// Whoever is not a member of a workspace gets for its things exactly what they get for things that do not exist. The
// cases are held against the app's own list of routes and fields, so that a new one without a case fails here.

const api = await createTestApi();
await spreadIds(api);
const adas = await makeThings(api, 'ada', 'foreign');
const bobs = await makeThings(api, 'bob', 'own');

afterAll(() => api.close());

const schema = createExecutableSchema(resolvers);
const rootFields = (type: string) => Object.keys((schema.getType(type) as { getFields(): object }).getFields());

test('every route either has a case or a reason why it needs none', () => {
  const known = [...Object.keys(routeCases), ...Object.keys(namingNothing)];
  expect([...new Set(api.routes)].filter((route) => !known.includes(route))).toEqual([]);
  expect(known.filter((route) => !api.routes.includes(route))).toEqual([]);
});

test('every field of GraphQL has a case', () => {
  expect(rootFields('Query').sort()).toEqual(Object.keys(queryCases).sort());
  expect(rootFields('Mutation').sort()).toEqual(Object.keys(mutationCases).sort());
});

type Requests = (named: Names, own: Names) => InjectOptions[];

const cases: [string, Requests][] = [
  ...Object.entries(routeCases).map(([route, requests]): [string, Requests] => [
    route,
    (named, own) => [requests(named, own)].flat(),
  ]),
  ...[...Object.entries(queryCases), ...Object.entries(mutationCases)].flatMap(([field, documents]) =>
    documents === 'names nothing' ? [] : [[field, toRequests(documents)] as [string, Requests]],
  ),
];

function toRequests(documents: (named: Names, own: Names) => string | string[]): Requests {
  return (named, own) =>
    [documents(named, own)].flat().map((query) => ({ method: 'POST', url: '/v1/graphql', payload: { query } }));
}

async function answersOf(user: string, requests: Requests, named: Names, own: Names): Promise<string[]> {
  const answers: string[] = [];
  for (const request of requests(named, own)) {
    const { statusCode, headers, body } = await api.send(user, request);
    answers.push(`${statusCode} ${headers['content-type']} ${withoutNames(body, named)}`);
  }
  return answers;
}

describe('a foreign thing is answered as one that does not exist', () => {
  test.each(cases)('%s', async (_name, requests) => {
    const unknown = await answersOf('bob', requests, unknownNames, bobs);
    expect(await answersOf('bob', requests, adas, bobs)).toEqual(unknown);
    for (const answer of unknown) expect(answer).not.toMatch(/^5/);
  });
});

describe('a member gets another answer, so the case does name a thing that exists', () => {
  // Some of the requests undeploy or rename what others ask for.
  beforeEach(async () => {
    const { deployId, pipelineVersionId } = adas;
    await api.post('ada', '/v1/api/pipelines/deploy', {
      deploy_id: deployId,
      pipeline_version_pk_id: pipelineVersionId,
    });
  });

  test.each(cases)('%s', async (_name, requests) => {
    const unknown = await answersOf('ada', requests, unknownNames, adas);
    const existing = await answersOf('ada', requests, adas, adas);
    for (const [index, answer] of existing.entries()) {
      expect(answer).not.toBe(unknown[index]);
      expect(answer).not.toMatch(/^5/);
    }
  });
});

test('lists without a name in the request hold only what the caller sees', async () => {
  for (const [url, payload] of [
    ['/v1/api/workspaces/list', {}],
    ['/v1/api/pipelines/list_pipelines', {}],
    ['/v1/api/models/list', { workspace_id: null, workspace_name: null }],
    ['/v1/api/clients/list', {}],
    ['/v1/api/connections/list', {}],
    ['/v1/api/orchestration/list_all', { task_run_status: [], workspace_ids: [] }],
    ['/v1/api/task/list', { workspace_id: null, killed: true }],
    ['/v1/graphql', { query: '{ tag { tag } pipeline { pipeline_id } deployment { deploy_id } model { model_id } }' }],
    ['/v1/graphql', { query: '{ search_models(args: {}) { model_id } search_pipelines(args: {}) { version } }' }],
  ] as const) {
    const { statusCode, body } = await api.post('bob', url, payload);
    expect(statusCode, `${url} ${body}`).toBe(200);
    // As whole words: a moment, a hash or a random version may hold the digits of an id by chance.
    const text = body.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'moment');
    const seen = Object.values(adas).filter((name) =>
      new RegExp(`(?<![\\w-])${RegExp.escape(String(name))}(?![\\w-])`).test(text),
    );
    expect(seen, url).toEqual([]);
  }
});
