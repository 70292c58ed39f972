import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Body = Type.Union([Type.Object({ ready: Type.Optional(Type.Boolean()) }), Type.Null()]);
const Reply = Type.Array(
  Type.Object({ name: Type.String(), version: Type.String(), state: Type.String(), reason: Type.String() }),
);

/** Triton's repository index: what is deployed where the caller is a member; with `ready`, only what answers now. */
export function listModels(app: Api, { openInference }: Services): void {
  app.post(
    '/repository/index',
    {
      schema: {
        summary: 'Deployed pipelines that the caller may use (Open Inference Protocol)',
        tags: ['open inference'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const models = await openInference.list(caller);
      return models
        .filter((model) => model.isReady || body?.ready !== true)
        .map(({ name, version, isReady }) => ({
          name,
          version,
          state: isReady ? 'READY' : 'UNAVAILABLE',
          reason: isReady ? '' : 'No pod of the pipeline is ready.',
        }));
    },
  );
}
