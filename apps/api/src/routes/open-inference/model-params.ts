import { Type } from 'typebox';

/** The same answer for the deployed version, named or not. */
export const modelPaths = (rest: string): readonly string[] => [
  `/models/:model${rest}`,
  `/models/:model/versions/:version${rest}`,
];

export const ModelParams = Type.Object({
  model: Type.String({ description: '<pipeline>, or <workspace>.<pipeline> where several have the name' }),
  version: Type.Optional(Type.String({ description: 'UUID of the pipeline version; only the deployed one is served' })),
});
