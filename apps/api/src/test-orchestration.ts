import { buildZip, type ZipEntrySpec } from '@pademelon/testing';
import type { LightMyRequestResponse } from 'fastify';
import type { TestApi } from './test-api.ts';

export const helloZip = buildZip([{ name: 'main.py', content: 'print("hello")\n' }]);

export interface FormPart {
  readonly name: string;
  readonly fileName?: string;
  readonly type?: string;
  readonly content: string | Buffer;
}

/** A multipart form byte by byte, honest or not. */
export function buildForm(parts: readonly FormPart[]): { payload: Buffer; headers: Record<string, string> } {
  const boundary = 'test-boundary-7c1f';
  const pieces = parts.flatMap(({ name, fileName, type, content }) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${fileName === undefined ? '' : `; filename="${fileName}"`}\r\n` +
        `${type === undefined ? '' : `content-type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return {
    payload: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** Uploads a zip as the SDKs do: the file first, then what is said of it. */
export function uploadZip(
  api: TestApi,
  user: string,
  workspaceId: number,
  zip: Buffer | readonly ZipEntrySpec[] = helloZip,
): Promise<LightMyRequestResponse> {
  const content = Buffer.isBuffer(zip) ? zip : buildZip(zip as readonly ZipEntrySpec[]);
  const form = buildForm([
    { name: 'file', fileName: 'hello.zip', type: 'application/octet-stream', content },
    {
      name: 'metadata',
      type: 'application/json',
      content: JSON.stringify({ workspace_id: workspaceId, name: 'hello' }),
    },
  ]);
  return api.send(user, { method: 'POST', url: '/v1/api/orchestration/upload', ...form });
}

export async function createWorkspace(api: TestApi, user: string, name: string): Promise<number> {
  const created = await api.post(user, '/v1/api/workspaces/create', { workspace_name: name });
  return created.json().workspace_id;
}

/** An orchestration that is ready, as packaging would leave it. */
export async function createReadyOrchestration(
  api: TestApi,
  user: string,
  workspaceId: number,
  zip: Buffer | readonly ZipEntrySpec[] = helloZip,
): Promise<string> {
  const { id } = (await uploadZip(api, user, workspaceId, zip)).json();
  await api.database.pool.query(`UPDATE orchestrations SET status = 'ready', entry_point = 'main.py' WHERE id = $1`, [
    id,
  ]);
  return id;
}
