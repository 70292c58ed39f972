import type { ModelVersion } from '@pademelon/domain';
import { type Static, Type } from 'typebox';

/** The id is that of the model version. */
export const UploadReply = Type.Object({
  insert_models: Type.Object({
    returning: Type.Array(Type.Object({ models: Type.Array(Type.Object({ id: Type.Integer() })) })),
  }),
});

export function toUploadReply(version: ModelVersion): Static<typeof UploadReply> {
  return { insert_models: { returning: [{ models: [{ id: version.id }] }] } };
}
