import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';

const Reply = Type.Object({
  key_id: Type.String(),
  rewrapped: Type.Integer(),
  /** Ids of connections whose details do not open; they were left as they are. */
  failed: Type.Array(Type.String()),
});

export function rotateConnectionKeys(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/admin/rotate_connection_keys',
    {
      schema: {
        summary: 'Put all connection details under the newest sealing key (administrators)',
        tags: ['admin'],
        response: { 200: Reply },
      },
    },
    async ({ caller }) => {
      const { keyId, rewrapped, failed } = await connections.rotateKeys(caller);
      return { key_id: keyId, rewrapped, failed: [...failed] };
    },
  );
}
