import { Type } from 'typebox';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { connectionKeyProperties, readConnectionKey } from './connection-wire.ts';

const Reply = Type.Object({
  ok: Type.Boolean(),
  /** reached, invalid_details, blocked, unreachable, refused, timeout or unsupported. */
  outcome: Type.String(),
  msg: Type.String(),
  elapsed_ms: Type.Integer(),
});

/** A real round trip to the foreign system. That it fails is an answer (200), not an error. */
export function testConnection(app: Api, { connections }: Services): void {
  app.post(
    '/v1/api/connections/test',
    {
      schema: {
        summary: 'Try a connection of a known type',
        tags: ['connections'],
        body: Type.Object(connectionKeyProperties),
        response: { 200: Reply },
      },
    },
    async ({ caller, body }) => {
      const verdict = await connections.test(caller, readConnectionKey(body));
      return { ok: verdict.isReachable, outcome: verdict.outcome, msg: verdict.text, elapsed_ms: verdict.elapsedMs };
    },
  );
}
