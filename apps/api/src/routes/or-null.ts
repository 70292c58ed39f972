import { type TSchema, Type } from 'typebox';

/** A key that may be absent or null, which mean the same: the SDKs send null for arguments that were not given. */
export function OrNull<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}
