/**
 * Options of routes that read their body as a stream of their own: it is not there to be validated when Fastify
 * validates, so the schema describes it for readers only.
 */
export const acceptForm = {
  validatorCompiler: () => () => true,
} as const;
