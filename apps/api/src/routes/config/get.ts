import { platformVersion } from '@pademelon/contracts';
import { architectures } from '@pademelon/domain';
import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Reply = Type.Object({
  default_arch: Type.Enum([...architectures]),
  name: Type.String(),
  version: Type.String(),
  is_auth_enabled: Type.Boolean(),
});

/** Public: the 2026 SDK reads it before it logs in. */
export function getConfig(app: Api, { platform }: Services): void {
  app.get(
    '/v1/api/config',
    {
      schema: {
        summary: 'Tell clients what they must know before they log in',
        tags: ['platform'],
        security: [],
        response: { 200: Reply },
      },
    },
    async () => ({
      default_arch: platform.architecture,
      name: platform.name,
      version: platformVersion,
      is_auth_enabled: platform.isAuthEnabled,
    }),
  );
}
