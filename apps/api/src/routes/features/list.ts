import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Reply = Type.Object({
  features: Type.Record(Type.String(), Type.String()),
  name: Type.String(),
  is_auth_enabled: Type.Boolean(),
});

export function listFeatures(app: Api, { platform }: Services): void {
  app.post(
    '/v1/api/features/list',
    { schema: { summary: 'Tell what this installation offers', tags: ['platform'], response: { 200: Reply } } },
    async () => ({
      // The inference log, by the name that clients know.
      features: { plateau: 'true' },
      name: platform.name,
      is_auth_enabled: platform.isAuthEnabled,
    }),
  );
}
