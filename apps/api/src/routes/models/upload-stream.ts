import { DomainError, type ModelDetails, type ModelVersion } from '@pademelon/domain';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { acceptForm } from '../form-body.ts';
import { readUpload, readUploadForm } from '../upload-form.ts';
import { toUploadReply, UploadReply } from './upload-reply.ts';

const parameterNames = ['name', 'filename', 'visibility', 'workspace_id'];
const Parameter = Type.Optional(Type.String());
const Query = Type.Object({
  name: Parameter,
  filename: Parameter,
  visibility: Parameter,
  workspace_id: Parameter,
});

/**
 * The 2023 SDK's way: the bare file as the body without a content type, and what is said of it in the query. A form
 * with the same fields and a part `file` is taken as well.
 */
export function uploadModelStream(app: Api, { modelUpload }: Services): void {
  app.post(
    '/v1/api/models/upload_stream',
    {
      ...acceptForm,
      config: { untypedBody: 'application/octet-stream' },
      schema: {
        summary: 'Upload an ONNX model or a Python script as the bare body',
        tags: ['models'],
        consumes: ['application/octet-stream', 'multipart/form-data'],
        querystring: Query,
        response: { 200: UploadReply },
      },
    },
    async (request) => {
      const version = request.isMultipart()
        ? await receiveForm(request, modelUpload)
        : await receiveBody(request, modelUpload);
      return toUploadReply(version);
    },
  );
}

type StreamRequest = FastifyRequest<{ Querystring: Record<string, unknown> }>;

async function receiveBody(request: StreamRequest, upload: Services['modelUpload']): Promise<ModelVersion> {
  const { details, fileName } = readParameters((name) => request.query[name]);
  await upload.requireWelcome(request.caller, details);
  const content = readUpload(request, request.body as AsyncIterable<Uint8Array>);
  return upload.store(request.caller, details, { fileName, staged: await upload.stage(fileName, content) });
}

async function receiveForm(request: StreamRequest, upload: Services['modelUpload']): Promise<ModelVersion> {
  const form = await readUploadForm(request, {
    fieldNames: parameterNames,
    takeFile: (fileName, content) => upload.stage(fileName, content),
  });
  const { file } = form;
  if (file === null) throw new DomainError('invalid_input', 'The upload form has no part "file".');
  try {
    const { details, fileName } = readParameters((name) => form.fields.get(name) ?? request.query[name], file.fileName);
    return await upload.store(request.caller, details, { fileName, staged: file.staged });
  } finally {
    await file.staged.discard();
  }
}

function readParameters(
  read: (name: string) => unknown,
  fallbackName?: string,
): { details: ModelDetails; fileName: string } {
  const required = (name: string, fallback?: string): string => {
    const value = read(name) || fallback;
    if (typeof value !== 'string') throw new DomainError('invalid_input', `The upload does not say ${name} once.`);
    return value;
  };
  const visibility = read('visibility') ?? 'private';
  if (visibility !== 'private' && visibility !== 'public') {
    throw new DomainError('invalid_input', 'The visibility must be "private" or "public".');
  }
  const workspaceId = Number(required('workspace_id'));
  if (!Number.isInteger(workspaceId)) throw new DomainError('invalid_input', 'The workspace_id must be a number.');
  const fileName = required('filename', fallbackName);
  const details: ModelDetails = {
    name: required('name'),
    workspaceId,
    visibility,
    // The SDK does not say what it was told of the framework; a script is known by its ending.
    conversion: { framework: /\.py$/i.test(fileName) ? 'python' : 'onnx' },
  };
  return { details, fileName };
}
