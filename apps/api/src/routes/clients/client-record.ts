import type { ApiClient } from '@pademelon/domain';
import { Type } from 'typebox';

export const ClientRecord = Type.Object({
  client_id: Type.String(),
  name: Type.String(),
  created_at: Type.String(),
});

export function toClientRecord(client: ApiClient) {
  return { client_id: client.id, name: client.name, created_at: client.createdAt.toISOString() };
}
