import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { FlatModelVersionWire, toFlatVersionWire } from './model-wire.ts';

const Body = Type.Object({
  models_pk_id: Type.Integer(),
  model_id: OrNull(Type.String({ description: "The model's name; the id alone decides." })),
});
const Reply = Type.Array(FlatModelVersionWire);

/** Oldest first: callers take the last one for the latest. */
export function listModelVersions(app: Api, { models }: Services): void {
  app.post(
    '/v1/api/models/list_versions',
    { schema: { summary: "List a model's versions", tags: ['models'], body: Body, response: { 200: Reply } } },
    async ({ caller, body }) => {
      const model = await models.get(caller, body.models_pk_id);
      return (await models.versionsOf(caller, [model.id])).map(toFlatVersionWire).reverse();
    },
  );
}
