import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPool } from '@pademelon/database/sql';

/** Every place below the folder where one of the texts stands, as `<file>: <name of the text>`. */
export async function tracesInFiles(folder: string, texts: Readonly<Record<string, string>>): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // Files of a database that is running come and go.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    for (const [name, text] of Object.entries(texts)) if (bytes.includes(text)) found.push(`${path}: ${name}`);
  }
  return found;
}

/** Every row of every table in which one of the texts stands, as `<table>: <name of the text>`. */
export async function tracesInDatabase(url: string, texts: Readonly<Record<string, string>>): Promise<string[]> {
  const pool = createPool(url, { max: 1 });
  try {
    const { rows: tables } = await pool.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const found: string[] = [];
    for (const { name: table } of tables) {
      const { rows } = await pool.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t`);
      const dump = rows.map(({ row }) => row).join('\n');
      for (const [name, text] of Object.entries(texts)) if (dump.includes(text)) found.push(`${table}: ${name}`);
    }
    return found;
  } finally {
    await pool.end();
  }
}
