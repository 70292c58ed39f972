// Writes a migration: node --conditions=source prisma/author-migration.ts <name> [revision]
// The SQL is the difference between schema.prisma at the git revision (default HEAD) and in the working tree.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diffSchemas } from '../packages/database/src/migrate.ts';
import { startLocalPostgres } from '../packages/local-postgres/src/local-postgres.ts';

const [name, revision = 'HEAD'] = process.argv.slice(2);
if (!name) throw new Error('Give the migration a name, for example add-connections.');
const schemaFile = join(import.meta.dirname, 'schema.prisma');
let before: string | null = null;
try {
  before = execFileSync('git', ['show', `${revision}:prisma/schema.prisma`], { encoding: 'utf8', stdio: 'pipe' });
} catch {
  // There is no earlier schema: the migration starts from an empty database.
}
const temporary = mkdtempSync(join(tmpdir(), 'pademelon-'));
const postgres = await startLocalPostgres({ folder: temporary, isDurable: false });
const sql = await diffSchemas(postgres.url, before, readFileSync(schemaFile, 'utf8')).finally(() => postgres.stop());
rmSync(temporary, { recursive: true });
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const folder = join(import.meta.dirname, 'migrations', `${stamp}_${name.replaceAll('-', '_')}`);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'migration.sql'), sql);
process.stdout.write(`${folder}\n`);
