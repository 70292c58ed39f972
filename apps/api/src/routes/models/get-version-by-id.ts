import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { toConfigWire, toVersionWire, VersionWithConfig } from './model-wire.ts';

const Body = Type.Object({ model_version_id: Type.Integer() });
const Reply = Type.Object({ model_version: VersionWithConfig });

export function getModelVersionById(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/get_version_by_id',
    {
      schema: {
        summary: 'Get a model version and its newest configuration',
        tags: ['models'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const version = await models.getVersion(caller, body.model_version_id);
      const config = await models.latestConfig(caller, version.id);
      return { model_version: { model_version: toVersionWire(version), config: toConfigWire(config) } };
    },
  );
}
