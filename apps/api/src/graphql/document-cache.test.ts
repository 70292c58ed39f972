import { globSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { buildClientSchema, execute, getIntrospectionQuery, type IntrospectionQuery, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { DocumentCache } from './document-cache.ts';
import { createExecutableSchema } from './executable-schema.ts';
import { resolvers } from './resolvers/index.ts';
import { RowBudget } from './row-budget.ts';
import { sdkDocuments } from './test-sdk-documents.ts';

const schema = createExecutableSchema(resolvers);
const documents = new DocumentCache(schema);

async function introspect(): Promise<IntrospectionQuery> {
  const document = documents.read(getIntrospectionQuery());
  const { data, errors } = await execute({ schema, document, contextValue: { budget: new RowBudget() } });
  expect(errors).toBeUndefined();
  return data as unknown as IntrospectionQuery;
}

test.each(Object.entries(sdkDocuments))('%s is valid and within the limits', (_name, document) => {
  expect(() => documents.read(document)).not.toThrow();
});

test('the SDKs can build their local schema from the introspection, and validate against it', async () => {
  const local = buildClientSchema(await introspect());
  for (const document of Object.values(sdkDocuments)) expect(validate(local, parse(document))).toEqual([]);
});

test('the introspection holds nothing that graphql-core 3.2, on which the SDKs run, does not know', async () => {
  const { __schema } = await introspect();
  expect(__schema.directives.map((directive) => directive.name).sort()).toEqual(['include', 'skip']);
});

/** Where npm test puts the real SDKs; their documents are read from there when they are. */
const repository = resolve(import.meta.dirname, '../../../..');
const sources = globSync('.cache/python/sdk-*/lib/python3*/site-packages/wallaroo/*.py', { cwd: repository });

/** Documents that never reach a server, whatever it is: invalid, or of classes that a client does not hand out. */
const unreachable = /^\s*(query|mutation) (CreatePipeline|GetAssay|CommentById|\w+ForComment|\w+Comment\w*)\b/;

test.skipIf(sources.length === 0)("the SDKs' own documents are valid", async () => {
  const local = buildClientSchema(await introspect());
  const counts = new Map<string, number>();
  for (const source of sources) {
    const text = readFileSync(resolve(repository, source), 'utf8');
    for (const [, document = ''] of text.matchAll(/gql\.gql\(\s*"""(.*?)"""/gs)) {
      if (unreachable.test(document)) continue;
      const sdk = source.split('/')[2]!;
      counts.set(sdk, (counts.get(sdk) ?? 0) + 1);
      expect(validate(local, parse(document)), `${basename(source)}: ${document}`).toEqual([]);
      expect(() => documents.read(document)).not.toThrow();
    }
  }
  // Of each SDK that is there; the two have 25 and 21.
  for (const [sdk, count] of counts) expect(count, sdk).toBeGreaterThan(20);
  expect(counts.size).toBeGreaterThan(0);
});

test.each([
  ['is not GraphQL', '{ pipeline {', 'Syntax Error'],
  ['asks for a password', '{ workspace_by_pk(id: 1) { users { password } } }', 'password'],
  ['is 100 levels deep', `{ ${'a { '.repeat(100)} b ${'}'.repeat(100)} }`, 'nested deeper'],
  [
    'is deeper than any display',
    `{ pipeline { ${'deployment { pipeline { '.repeat(8)} id ${'} }'.repeat(8)} } }`,
    'a depth of 18',
  ],
  ['has 10,000 aliases', `{ ${Array.from({ length: 10_000 }, (_, i) => `a${i}: __typename`).join(' ')} }`, 'tokens'],
  ['has 31 aliases', `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ')} }`, 'aliases of 31'],
  [
    'has a literal nested too deep',
    `{ deployment(where: {id: {_eq: ${'['.repeat(50)}1${']'.repeat(50)}}}) { id } }`,
    'nested deeper',
  ],
  ['runs in circles through the schema', introspectionInCircles(4), 'introspection depth'],
  ['spreads fragments in circles', '{ ...a } fragment a on Query { ...a }', 'Cannot spread fragment'],
  ['is a mutation that does not exist', 'mutation { drop }', 'drop'],
])('a document that %s is refused', (_what, text, sentence) => {
  expect(() => documents.read(text)).toThrow(sentence);
});

test('fragments that double one another 30 times over are refused at once', () => {
  const doubling = Array.from({ length: 30 }, (_, i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`);
  const text = `{ ...f0 } ${doubling.join(' ')} fragment f30 on Query { __typename }`;
  expect(() => documents.read(text)).toThrow('a number of fields of');
});

function introspectionInCircles(times: number): string {
  return `{ __schema { types { ${'fields { type { '.repeat(times)} name ${'} }'.repeat(times)} } } }`;
}
