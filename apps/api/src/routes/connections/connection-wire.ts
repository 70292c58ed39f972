import type { Connection, ConnectionKey, JsonObject } from '@pademelon/domain';
import { DomainError } from '@pademelon/domain';
import { type Static, Type } from 'typebox';
import { OrNull } from '../or-null.ts';

export const ConnectionRecord = Type.Object({
  id: Type.String(),
  name: Type.String(),
  type: Type.String(),
  created_at: Type.String(),
  /** Of the linked workspaces those that the caller is a member of. */
  workspace_names: Type.Array(Type.String()),
  /** In clear from get and get_by_id; absent in lists, which makes the SDKs ask for those that they need. */
  details: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
});

export function toConnectionRecord(
  connection: Connection,
  details?: JsonObject | null,
): Static<typeof ConnectionRecord> {
  return {
    id: connection.id,
    name: connection.name,
    type: connection.type,
    created_at: connection.createdAt.toISOString(),
    workspace_names: connection.workspaces.map(({ name }) => name),
    ...(details === undefined ? {} : { details }),
  };
}

/** How a body names a connection where either is taken. */
export const connectionKeyProperties = { id: OrNull(Type.String()), name: OrNull(Type.String()) };

export function readConnectionKey(body: {
  id?: string | null | undefined;
  name?: string | null | undefined;
}): ConnectionKey {
  if (body.id != null) return { id: body.id };
  if (body.name != null) return { name: body.name };
  throw new DomainError('invalid_input', 'Say which connection: id, or name.');
}
