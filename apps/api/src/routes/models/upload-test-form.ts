import type { InjectOptions } from 'fastify';

export interface FormPart {
  readonly name: string;
  readonly content: string | Buffer;
  readonly fileName?: string;
  readonly type?: string;
}

const boundary = 'pademelon-test-boundary';

/** A multipart body part by part, in any order and of any make, as tests of uploads send it. */
export function encodeForm(parts: readonly FormPart[]): Buffer {
  const pieces = parts.flatMap(({ name, content, fileName, type }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`,
    fileName === undefined ? '' : `; filename="${fileName}"`,
    type === undefined ? '' : `\r\nContent-Type: ${type}`,
    '\r\n\r\n',
    content,
    '\r\n',
  ]);
  return Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece as string)));
}

export const formHeaders = { 'content-type': `multipart/form-data; boundary=${boundary}` };

export function sendForm(url: string, parts: readonly FormPart[]): InjectOptions {
  return { method: 'POST', url, headers: formHeaders, payload: encodeForm(parts) };
}

/** The metadata part as both SDKs send it. */
export function metadataPart(workspaceId: number, changes: object = {}): FormPart {
  const metadata = {
    name: 'house',
    visibility: 'private',
    workspace_id: workspaceId,
    conversion: { framework: 'onnx', python_version: '3.8', requirements: [] },
    ...changes,
  };
  return { name: 'metadata', content: JSON.stringify(metadata), type: 'application/json' };
}

export function filePart(content: string | Buffer, fileName = 'house.onnx'): FormPart {
  return { name: 'file', content, fileName, type: 'application/octet-stream' };
}
