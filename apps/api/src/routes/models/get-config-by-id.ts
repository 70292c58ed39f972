import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { ModelConfigWire, toConfigWire } from './model-wire.ts';

const Body = Type.Object({ model_id: Type.Integer({ description: 'Id of the model version.' }) });
const Reply = Type.Object({ model_config: ModelConfigWire });

export function getModelConfigById(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/get_config_by_id',
    {
      schema: {
        summary: 'Get the newest configuration of a model version',
        tags: ['models'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => ({ model_config: toConfigWire(await models.latestConfig(caller, body.model_id)) }),
  );
}
