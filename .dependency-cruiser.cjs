// The rooms of the house and the doors between them: contracts <- domain <- adapters <- apps. Each forbidden edge says
// why. scripts/check-rooms.ts runs this and proves that every source file was looked at.

const testFiles = '(\\.test\\.ts|/test-[^/]+\\.ts|/[^/]*-?test-[^/]+\\.ts|/fixture-[^/]+\\.ts)$';
/** Packages that hide one foreign thing each behind ports of the domain. */
const adapters = 'archive|artifacts|connectors|database|http1|inference-log|local-postgres|onnx-model|queue|tokens';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that need each other cannot be understood, tested or moved one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that cannot be found is a typing error, or a rule that silently looks at nothing.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'contracts-stand-alone',
      comment: 'Contracts are what clients may read: they know nothing of the inside and do no I/O.',
      severity: 'error',
      from: { path: '^packages/contracts/src', pathNot: testFiles },
      to: { pathNot: ['^packages/contracts/', 'node_modules/(\\.pnpm/)?typebox'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'domain-knows-contracts-only',
      comment: 'The rules of the house must be testable without a database, a clock or a network, and survive each.',
      severity: 'error',
      from: { path: '^packages/domain/src', pathNot: testFiles },
      to: { path: '^(apps|packages)/', pathNot: '^packages/(domain|contracts)/' },
    },
    {
      name: 'domain-does-no-io',
      comment: 'Files, sockets and processes are the business of adapters; the domain names a port and is given one.',
      severity: 'error',
      from: { path: '^packages/domain/src', pathNot: testFiles },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|stream)$' },
    },
    {
      name: 'domain-has-no-framework',
      comment: 'A framework in the domain decides its shape for ever.',
      severity: 'error',
      from: { path: '^packages/domain/src', pathNot: testFiles },
      to: { path: 'node_modules/(\\.pnpm/)?(@prisma|prisma|pg|bullmq|ioredis|fastify|@fastify|undici|pino)([@+/]|$)' },
    },
    {
      name: 'adapters-do-not-meet',
      comment: 'Two adapters that know each other cannot be replaced one at a time; apps put them together.',
      severity: 'error',
      from: { path: `^packages/(${adapters})/src`, pathNot: testFiles },
      to: { path: `^packages/(${adapters})/`, pathNot: '^packages/$1/' },
    },
    {
      name: 'packages-do-not-know-apps',
      comment: 'A package that needs an app is a part of that app.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-do-not-meet',
      comment: 'Processes speak over the wire and the database; what two of them share is a package.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'routes-call-services',
      comment: 'A route that reads a store skips the check of who may see what.',
      severity: 'error',
      from: { path: '^apps/api/src/(routes|graphql|dialects|plugins)/', pathNot: testFiles },
      to: { path: '^packages/(database|queue|artifacts)/' },
    },
    {
      name: 'rooms-meet-through-services',
      comment: "A room that reads another room's store bypasses the other's rules.",
      severity: 'error',
      from: { path: '^packages/domain/src/([^/]+)/', pathNot: testFiles },
      // The artifact store is no room's: whatever is kept as a file is kept there.
      to: { path: '^packages/domain/src/[^/]+/[^/]+-store\\.ts$', pathNot: '^packages/domain/src/($1|artifacts)/' },
    },
    {
      name: 'testing-from-tests-only',
      comment: 'What makes testing easy must not be able to reach production.',
      severity: 'error',
      from: { path: '^(apps|packages)/', pathNot: ['^packages/testing/', testFiles] },
      to: { path: '^packages/testing/' },
    },
    {
      name: 'no-development-dependencies',
      comment: 'What only development installs is missing where the product runs.',
      severity: 'error',
      from: { path: '^(apps|packages)/[^/]+/src', pathNot: ['^packages/testing/', testFiles] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|generated)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
