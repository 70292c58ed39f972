import { DomainError, type ModelVersion, unsupportedFramework } from '@pademelon/domain';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { acceptForm } from '../form-body.ts';
import { readUploadForm } from '../upload-form.ts';
import { readUploadMetadata, UploadMetadata } from './upload-metadata.ts';
import { toUploadReply, UploadReply } from './upload-reply.ts';

const Form = Type.Object({ metadata: UploadMetadata, file: Type.String({ format: 'binary' }) });

/** For files that run as they are. Its older form, without metadata, registers a container image instead of a file. */
export function uploadModel(app: Api, { modelUpload }: Services): void {
  app.post(
    '/v1/api/models/upload',
    {
      ...acceptForm,
      config: { isReasonShown: true },
      schema: {
        summary: 'Upload an ONNX model or a Python script',
        tags: ['models'],
        consumes: ['multipart/form-data'],
        body: Form,
        response: { 200: UploadReply },
      },
    },
    async (request) => toUploadReply(await receiveModel(request, modelUpload)),
  );
}

/** The same: nothing is converted, and a Python script is packaged whichever way it came. */
export function uploadAndConvertModel(app: Api, { modelUpload }: Services): void {
  app.post(
    '/v1/api/models/upload_and_convert',
    {
      ...acceptForm,
      config: { isReasonShown: true },
      schema: {
        summary: 'Upload an ONNX model or a Python script, which will be packaged',
        tags: ['models'],
        consumes: ['multipart/form-data'],
        body: Form,
        response: { 202: UploadReply },
      },
    },
    async (request, reply) => reply.code(202).send(toUploadReply(await receiveModel(request, modelUpload))),
  );
}

/** What `register_model_image` of the 2023 SDK sends, with an empty file. */
const imageFields = ['image_path', 'name', 'workspace_id'];

async function receiveModel(request: FastifyRequest, upload: Services['modelUpload']): Promise<ModelVersion> {
  const { caller } = request;
  const form = await readUploadForm(request, {
    fieldNames: ['metadata', ...imageFields],
    beforeFile: refuseImage,
    takeFile: async (fileName, content, fields) => {
      const early = fields.get('metadata');
      if (early !== undefined) await upload.requireWelcome(caller, readUploadMetadata(early));
      return upload.stage(fileName, content);
    },
  });
  const { file } = form;
  try {
    const text = form.fields.get('metadata');
    refuseImage(form.fields);
    if (text === undefined) throw missingPart('metadata');
    const details = readUploadMetadata(text);
    if (details.imagePath !== null) throw unsupportedFramework('mlflow');
    await upload.requireWelcome(caller, details);
    if (file === null) throw missingPart('file');
    return await upload.store(caller, details, file);
  } finally {
    await file?.staged.discard();
  }
}

function refuseImage(fields: ReadonlyMap<string, string>): void {
  if (fields.has('image_path')) throw unsupportedFramework('mlflow');
}

function missingPart(name: string): DomainError {
  return new DomainError('invalid_input', `The upload form has no part "${name}"; it must have "metadata" and "file".`);
}
