import {
  buildSchema,
  type GraphQLFieldResolver,
  GraphQLIncludeDirective,
  GraphQLSchema,
  GraphQLSkipDirective,
  isObjectType,
  isScalarType,
} from 'graphql';
import { inputDefinitions } from './input-definitions.ts';
import type { RequestContext, Resolvers } from './request-context.ts';
import { behave } from './scalars.ts';
import { typeDefinitions } from './type-definitions.ts';

/** The schema with its resolvers. Throws when a resolver is for a type or field that does not exist. */
export function createExecutableSchema(resolvers: Resolvers): GraphQLSchema {
  const built = buildSchema(typeDefinitions + inputDefinitions);
  // graphql-core, on which the SDKs' introspection runs, does not know all the directives that graphql-js 17 adds.
  const schema = new GraphQLSchema({
    ...built.toConfig(),
    directives: [GraphQLIncludeDirective, GraphQLSkipDirective],
  });
  for (const type of Object.values(schema.getTypeMap())) {
    if (isScalarType(type)) behave(type);
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      field.resolve = withinBudget(resolvers[type.name]?.[field.name] as Resolver | undefined);
    }
  }
  for (const [type, fields] of Object.entries(resolvers)) {
    const known = schema.getType(type);
    const stray = Object.keys(fields).find((field) => !isObjectType(known) || !(field in known.getFields()));
    if (stray !== undefined) throw new Error(`The GraphQL schema has no ${type}.${stray}.`);
  }
  return schema;
}

type Resolver = GraphQLFieldResolver<unknown, RequestContext>;

/** Counts the rows of every list against the budget of the request. */
function withinBudget(resolver: Resolver = readProperty): Resolver {
  return (source, args, context, info) => {
    const result = resolver(source, args, context, info);
    if (result instanceof Promise) return result.then((value) => counted(value, context));
    return counted(result, context);
  };
}

function counted(value: unknown, { budget }: RequestContext): unknown {
  if (Array.isArray(value)) budget.spend(value.length);
  return value;
}

const readProperty: Resolver = (source, _args, _context, { fieldName }) =>
  (source as Record<string, unknown>)[propertyName(fieldName)];

function propertyName(fieldName: string): string {
  return fieldName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
