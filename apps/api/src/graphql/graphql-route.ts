import type { FastifyBaseLogger } from 'fastify';
import { execute, GraphQLError } from 'graphql';
import { Type } from 'typebox';
import { describeFailure } from '../plugins/error-handler.ts';
import type { Api } from '../routes/api.ts';
import { OrNull } from '../routes/or-null.ts';
import type { Services } from '../services.ts';
import { DocumentCache } from './document-cache.ts';
import { createExecutableSchema } from './executable-schema.ts';
import { createContext } from './request-context.ts';
import { resolvers } from './resolvers/index.ts';
import { requireStorableVariables } from './storable-variables.ts';

const bodyLimit = 256 * 1024;

const Body = Type.Object({
  query: Type.String(),
  variables: OrNull(Type.Record(Type.String(), Type.Unknown())),
  operationName: OrNull(Type.String()),
});

/**
 * The operations that the SDKs send. One document a request; what is wrong with the request as a whole is a 400 in the
 * common error shape, what goes wrong in a field is told in `errors`, as GraphQL does.
 */
export function graphqlRoute(app: Api, services: Services): void {
  const schema = createExecutableSchema(resolvers);
  const documents = new DocumentCache(schema);
  app.post(
    '/v1/graphql',
    { bodyLimit, schema: { summary: 'GraphQL operations of the Python SDKs', tags: ['graphql'], body: Body } },
    async ({ caller, body, log }) => {
      const document = documents.read(body.query);
      requireStorableVariables(body.query, body.variables);
      const { data, errors } = await execute({
        schema,
        document,
        contextValue: createContext(services, caller),
        variableValues: body.variables ?? {},
        operationName: body.operationName ?? null,
        hideSuggestions: true,
      });
      return {
        ...(data === undefined ? {} : { data }),
        ...(errors === undefined ? {} : { errors: errors.map((error) => toWire(error, log)) }),
      };
    },
  );
}

function toWire(error: GraphQLError, log: FastifyBaseLogger) {
  const { message, locations, path, originalError } = error;
  // Values that do not fit their types: the sentence comes from GraphQL itself or from a scalar of ours.
  if (originalError === undefined || originalError instanceof GraphQLError) {
    return { message, locations, path, extensions: { code: 'invalid_input' } };
  }
  const failure = describeFailure(originalError);
  if (failure.word === 'internal') log.error({ err: originalError, path }, 'a GraphQL field failed');
  return { message: failure.message, locations, path, extensions: { code: failure.word, details: failure.details } };
}
