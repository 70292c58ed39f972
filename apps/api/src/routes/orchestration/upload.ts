import { DomainError } from '@pademelon/domain';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { acceptForm } from '../form-body.ts';
import { readUploadForm } from '../upload-form.ts';
import { OrchestrationMetadata, readOrchestrationMetadata } from './upload-metadata.ts';

const Form = Type.Object({ file: Type.String({ format: 'binary' }), metadata: OrchestrationMetadata });
const Reply = Type.Object({ id: Type.String() });

/** What a form may have around its file. */
const formBytes = 1024 * 1024;

/** Answered as soon as the zip is stored and checked; it is packaged after that. The SDKs take 202 alone for success. */
export function uploadOrchestration(app: Api, { orchestrationUpload: upload }: Services): void {
  app.post(
    '/v1/api/orchestration/upload',
    {
      ...acceptForm,
      schema: {
        summary: 'Upload a zip of Python code to be run',
        tags: ['orchestrations'],
        consumes: ['multipart/form-data'],
        body: Form,
        response: { 202: Reply },
      },
      // What is refused for its size will not be read to its end, so nothing else can follow on the connection.
      onError: async (_request, reply, error) => {
        if (error instanceof DomainError && error.word === 'too_large') reply.header('connection', 'close');
      },
    },
    async (request, reply) => reply.code(202).send({ id: await receiveOrchestration(request, upload) }),
  );
}

async function receiveOrchestration(request: FastifyRequest, upload: Services['orchestrationUpload']): Promise<string> {
  const { caller } = request;
  if (Number(request.headers['content-length'] ?? 0) > upload.maxArchiveBytes + formBytes) {
    throw new DomainError('too_large', `The zip is larger than the ${upload.maxArchiveBytes} bytes that are allowed.`);
  }
  const { file, fields } = await readUploadForm(request, {
    fieldNames: ['metadata'],
    takeFile: async (_fileName, content, early) => {
      if (early.has('metadata')) await upload.requireWelcome(caller, readOrchestrationMetadata(early.get('metadata')));
      return upload.stage(content);
    },
  });
  try {
    const details = readOrchestrationMetadata(fields.get('metadata'));
    if (file === null) throw new DomainError('invalid_input', 'The upload form has no part "file".');
    return await upload.store(caller, details, file);
  } finally {
    await file?.staged.discard();
  }
}
