import type { ModelVersion } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';

const Body = Type.Object({
  model_version_id: Type.Integer(),
  lines: OrNull(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
});
const Reply = Type.Object({ logs: Type.Array(Type.String()) });

/**
 * What happened to an uploaded file: what is known of the version, and what packaging said. Each line is in the container
 * log format that the SDK takes apart.
 */
export function getUploadLogs(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/get_upload_logs',
    {
      schema: { summary: "Read a model version's upload log", tags: ['models'], body: Body, response: { 200: Reply } },
    },
    async ({ caller, body }) => {
      const version = await models.getVersion(caller, body.model_version_id);
      const built = (await models.buildLog(caller, version.id)).split('\n').filter((line) => line !== '');
      const lines = [...describeUpload(version), ...built, describeStatus(version)].map(
        (line) => `${version.createdAt.toISOString()} stdout F ${line}`,
      );
      return { logs: body.lines == null ? lines : lines.slice(Math.max(0, lines.length - body.lines)) };
    },
  );
}

function describeUpload({ fileName, sizeBytes, sha, signature }: ModelVersion): string[] {
  const tensors = (['inputs', 'outputs'] as const).flatMap((direction) =>
    (signature?.[direction] ?? []).map(({ name, type, shape }) => {
      const dimensions = shape === null ? 'of any shape' : `[${shape.map((size) => size ?? 'any').join(', ')}]`;
      return `${direction.slice(0, -1)} ${JSON.stringify(name)}: ${type} ${dimensions}`;
    }),
  );
  return [`received ${JSON.stringify(fileName)}, ${sizeBytes} bytes, sha256 ${sha}`, ...tensors];
}

function describeStatus({ status, errorSummary }: ModelVersion): string {
  return errorSummary === null ? `status: ${status}` : `status: ${status}: ${errorSummary}`;
}
