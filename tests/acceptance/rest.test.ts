import { readFile } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { assetPath, hasAssets } from './support/repository.ts';
import { logIn, type RestClient, requestToken, restClient } from './support/rest-client.ts';
import {
  arrowType,
  type DeployedPipeline,
  deployModel,
  inferRecords,
  recordsType,
  undeploy,
  uniqueName,
} from './support/rest-flow.ts';
import { until } from './support/until.ts';

const platform = inject('platform');
let client: RestClient;
beforeAll(async () => {
  client = await logIn(platform);
});

describe('Tokens by plain HTTP', () => {
  it('gives a password token with the claims that callers decode', async () => {
    const { username, password } = platform;
    const answer = await requestToken(platform.url, { grant_type: 'password', username, password });
    const granted = JSON.parse(answer.text);
    expect(granted).toMatchObject({ expires_in: expect.any(Number), refresh_expires_in: expect.any(Number) });
    const claims = JSON.parse(Buffer.from(granted.access_token.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({
      iss: `${platform.url}/auth/realms/master`,
      email: username,
      typ: 'Bearer',
      azp: 'sdk-client',
      sub: expect.any(String),
      'https://hasura.io/jwt/claims': { 'x-hasura-user-id': claims.sub },
    });
    const refreshed = await requestToken(platform.url, {
      grant_type: 'refresh_token',
      refresh_token: granted.refresh_token,
    });
    expect(refreshed.status, refreshed.text).toBe(200);
    expect(JSON.parse(refreshed.text).access_token).not.toBe(granted.access_token);
  });

  it('gives a confidential client a token of its own by client credentials', async () => {
    const created = await client.call('/v1/api/clients/create', { name: uniqueName('batch') });
    const credentials = { id: created.client_id, secret: created.client_secret };
    const granted = await requestToken(platform.url, { grant_type: 'client_credentials' }, credentials);
    expect(granted.status, granted.text).toBe(200);
    const asClient = restClient(platform.url, JSON.parse(granted.text).access_token);
    expect(await asClient.call('/v1/api/workspaces/list')).toEqual(await client.call('/v1/api/workspaces/list'));
    const wrong = await requestToken(
      platform.url,
      { grant_type: 'client_credentials' },
      { ...credentials, secret: 'no' },
    );
    expect([400, 401]).toContain(wrong.status);
  });

  it('publishes discovery and keys', async () => {
    const answer = await client.send('/auth/realms/master/.well-known/openid-configuration', { method: 'GET' });
    const discovery = JSON.parse(answer.text);
    expect(discovery.issuer).toBe(`${platform.url}/auth/realms/master`);
    const keys = await client.send(discovery.jwks_uri, { method: 'GET' });
    expect(JSON.parse(keys.text).keys.length).toBeGreaterThan(0);
    expect(keys.text).not.toContain('"d":');
  });
});

describe.skipIf(!hasAssets)('The platform by plain HTTP', () => {
  let pipeline: DeployedPipeline;
  beforeAll(async () => {
    pipeline = await deployModel(client, { modelPath: assetPath('models/rf_model.onnx'), tensorFields: ['tensor'] });
    process.stdout.write(`deploy of the house-price model to Running: ${Math.round(pipeline.deployMs)} ms\n`);
  });
  afterAll(() => undeploy(client, pipeline));

  it('lists the workspace with its model and pipeline', async () => {
    const { workspaces } = await client.call('/v1/api/workspaces/list');
    const workspace = workspaces.find((item: { id: number }) => item.id === pipeline.workspaceId);
    expect(workspace).toMatchObject({ archived: false, pipelines: [pipeline.id], models: [expect.any(Number)] });
  });

  it('gives the address of the deployed pipeline', async () => {
    const body = { workspace_id: pipeline.workspaceId, pipeline_name: pipeline.name };
    const { url } = await client.call('/v1/api/admin/get_pipeline_external_url', body);
    expect(url).toBe(pipeline.inferenceUrl);
  });

  it('answers with nested in and out where no separator is asked', async () => {
    const row = JSON.parse(await readFile(assetPath('data/xtest-1.df.json'), 'utf8'));
    const answer = await inferRecords(client, pipeline.inferenceUrl, row);
    expect(answer.status, answer.text).toBe(200);
    const [record] = JSON.parse(answer.text);
    expect(record.in.tensor).toEqual(row[0].tensor);
    expect(record.out.variable[0]).toBeCloseTo(718013.6875, 0);
    expect(record.anomaly.count).toBe(0);
    expect(record.metadata).toMatchObject({ elapsed: [expect.any(Number), expect.any(Number)], dropped: [] });
    expect(JSON.parse(record.metadata.last_model).model_name).toBe(pipeline.model.name);
  });

  it('answers with flat columns where a separator is asked', async () => {
    const row = JSON.parse(await readFile(assetPath('data/xtest-1.df.json'), 'utf8'));
    const query = '?dataset[]=*&dataset.exclude[]=metadata&dataset.separator=.';
    const answer = await inferRecords(client, pipeline.inferenceUrl, row, query);
    expect(Object.keys(JSON.parse(answer.text)[0])).toEqual(['time', 'in.tensor', 'out.variable', 'anomaly.count']);
  });

  it('answers Arrow with nested columns', async () => {
    const answer = await client.send(pipeline.inferenceUrl, {
      body: await readFile(assetPath('data/xtest-1k.arrow')),
      headers: { 'content-type': arrowType, accept: arrowType },
    });
    expect(answer.status, answer.text.slice(0, 300)).toBe(200);
    const table = tableFromIPC(answer.bytes);
    expect(table.numRows).toBe(1000);
    expect(table.getChild('out')!.get(999)!.toJSON()).toHaveProperty('variable');
  });

  it('takes 1,000 rows of JSON and pages through their log by cursor', async () => {
    const rows = await readFile(assetPath('data/xtest-1k.df.json'), 'utf8');
    const answer = await client.send(pipeline.inferenceUrl, { body: rows, headers: { 'content-type': recordsType } });
    expect(JSON.parse(answer.text)).toHaveLength(1000);
    const seen = await until(
      async () => {
        const rows = await readWholeLog();
        return rows.length >= 1000 && rows;
      },
      { withinMs: 5000, what: 'the rows in the log, which has them within a second' },
    );
    const times = seen.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  async function readWholeLog(): Promise<{ time: number }[]> {
    const seen: { time: number }[] = [];
    let cursor: string | null = null;
    do {
      const body = {
        pipeline_name: pipeline.name,
        workspace_id: pipeline.workspaceId,
        order: 'asc',
        ...(cursor === null ? {} : { cursor }),
      };
      const page: Awaited<ReturnType<RestClient['send']>> = await client.send('/v1/api/pipelines/get_logs', {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      expect(page.status, page.text).toBe(200);
      const records = JSON.parse(page.text);
      seen.push(...records);
      cursor = records.length === 0 ? null : page.headers.get('x-iteration-cursor');
    } while (cursor !== null);
    return seen;
  }

  it('copies a pipeline under another name', async () => {
    const copied = await client.call('/v1/api/pipelines/copy', {
      name: uniqueName('copy'),
      workspace_id: pipeline.workspaceId,
      source_pipeline: pipeline.id,
    });
    expect(copied.pipeline_pk_id).not.toBe(pipeline.id);
  });
});

describe('The pages around the API', () => {
  it.each(['/healthz', '/readyz', '/metrics', '/v1/api/config'])('answers %s', async (path) => {
    const answer = await restClient(platform.url, '').send(path, { method: 'GET' });
    expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  });

  it('shows the API to a browser that opens /v1/api/docs', async () => {
    const page = await fetch(`${platform.url}/v1/api/docs`, { redirect: 'error' });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  });
});
