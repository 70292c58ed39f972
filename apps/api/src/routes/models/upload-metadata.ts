import { architectures, DomainError, frameworks, type ModelDetails, pythonVersions } from '@pademelon/domain';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { OrNull } from '../or-null.ts';

const maxSchemaLength = 1024 * 1024;

/** What may be said of a file. Keys that are not named here are ignored. */
export const UploadMetadata = Type.Object({
  name: Type.String(),
  workspace_id: Type.Integer(),
  visibility: Type.Optional(Type.Enum(['private', 'public'])),
  conversion: Type.Object({
    framework: Type.Enum([...frameworks]),
    python_version: OrNull(Type.Enum([...pythonVersions])),
    requirements: OrNull(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000 })),
    arch: OrNull(Type.Enum([...architectures])),
    accel: OrNull(Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())])),
    framework_config: Type.Optional(Type.Unknown()),
  }),
  input_schema: OrNull(Type.String({ maxLength: maxSchemaLength })),
  output_schema: OrNull(Type.String({ maxLength: maxSchemaLength })),
  image_path: OrNull(Type.String()),
});

const validator = Compile(UploadMetadata);

/** The metadata part of an upload form, as JSON text. Throws `invalid_input` naming the first thing that is wrong. */
export function readUploadMetadata(text: string): ModelDetails & { readonly imagePath: string | null } {
  const sent = parse(text);
  if (!validator.Check(sent)) {
    const [error] = validator.Errors(sent);
    const place = error?.instancePath ? `the metadata's ${error.instancePath.slice(1).replaceAll('/', '.')}` : 'it';
    throw new DomainError('invalid_input', `The metadata of the upload is not valid: ${place} ${error?.message}.`);
  }
  return toDetails(sent);
}

function toDetails(sent: Static<typeof UploadMetadata>): ModelDetails & { readonly imagePath: string | null } {
  const { conversion } = sent;
  return {
    name: sent.name,
    workspaceId: sent.workspace_id,
    visibility: sent.visibility ?? 'private',
    conversion: {
      framework: conversion.framework,
      requirements: conversion.requirements ?? undefined,
      pythonVersion: conversion.python_version ?? undefined,
      arch: conversion.arch ?? undefined,
      accel: conversion.accel ?? undefined,
    },
    inputSchema: sent.input_schema,
    outputSchema: sent.output_schema,
    imagePath: sent.image_path ?? null,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError('invalid_input', 'The metadata of the upload is not valid JSON.', { cause });
  }
}
