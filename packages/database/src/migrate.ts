import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { outliveBreaks } from './pool.ts';

/** The repository's prisma folder: from src/ and from dist/ alike. */
const prismaFolder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../prisma');

/** Any constant will do; it must be the same in every process. */
const migrationLock = 7_236_936_642;

/**
 * Brings the database to the newest schema: applies the folders of prisma/migrations that it has not seen, in order,
 * and fills `_prisma_migrations` as `prisma migrate deploy` would. Safe to run twice and by several processes at once,
 * which wait for one another. Resolves to the names of the migrations it applied.
 */
export async function migrate(databaseUrl: string, folder = join(prismaFolder, 'migrations')): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    if (await isCurrent(client, folder)) return [];
    const result = await withEngine(databaseUrl, (engine) =>
      engine.applyMigrations({
        migrationsList: readMigrations(folder),
        filters: { externalTables: [], externalEnums: [] },
      }),
    );
    return result.appliedMigrationNames;
  } finally {
    await client.end();
  }
}

/**
 * The SQL that leads from one Prisma schema (text) to another: how migrations are authored. The engine wants a database
 * to talk to, whatever is in it; nothing is changed there.
 */
export async function diffSchemas(databaseUrl: string, from: string | null, to: string): Promise<string> {
  const target = (text: string) => ({
    tag: 'schemaDatamodel' as const,
    files: [{ path: 'schema.prisma', content: text }],
  });
  const { stdout } = await withEngine(databaseUrl, (engine) =>
    engine.diff({
      from: from === null ? { tag: 'empty' } : target(from),
      to: target(to),
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  return stdout ?? '';
}

function migrationNames(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function readMigrations(folder: string): engineModule.MigrationList {
  return {
    baseDir: folder,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames(folder).map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(folder, name, 'migration.sql'), 'utf8') },
      },
    })),
  };
}

/** Whether every migration is recorded as finished: the common case, answered without loading the engine. */
async function isCurrent(client: pg.Client, folder: string): Promise<boolean> {
  const { rows: tables } = await client.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists");
  if (!tables[0].exists) return false;
  const { rows } = await client.query('SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL');
  const applied = new Set(rows.map((row: { migration_name: string }) => row.migration_name));
  return migrationNames(folder).every((name) => applied.has(name));
}

/** Runs Prisma's schema engine (WebAssembly: nothing to download) on a connection that is closed afterwards. */
async function withEngine<T>(databaseUrl: string, use: (engine: engineModule.SchemaEngine) => Promise<T>): Promise<T> {
  const wasmFile = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm/schema_engine_bg')
    .replace(/\.js$/, '.wasm');
  const { instance } = await WebAssembly.instantiate(readFileSync(wasmFile), {
    './schema_engine_bg.js': engineModule as never,
  });
  engineModule.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2, connectionTimeoutMillis: 5_000 });
  outliveBreaks(pool);
  try {
    const engine = await engineModule.SchemaEngine.new(
      { datamodels: [['schema.prisma', readFileSync(join(prismaFolder, 'schema.prisma'), 'utf8')]] },
      () => undefined,
      bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool)),
    );
    return await use(engine);
  } finally {
    await pool.end();
  }
}
