// The health of a process that listens on nothing: has it said lately, in the database, that it lives?
// node docker/check-heartbeat.mjs worker|inference
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, networkInterfaces } from 'node:os';

const { Client } = createRequire(new URL('../packages/database/', import.meta.url))('pg');

// A worker's id begins with its machine's name; an inference host is known by its address.
const questions = {
  worker: `SELECT FROM workers WHERE id LIKE $1 AND last_seen_at > now() - interval '30 seconds'`,
  inference: `SELECT FROM inference_hosts WHERE address = ANY($1) AND last_seen_at > now() - interval '30 seconds'`,
};
const addresses = Object.values(networkInterfaces()).flatMap((entries) =>
  (entries ?? []).map(({ address }) => address),
);
const [, , kind] = process.argv;
const connectionString = process.env.DATABASE_URL ?? readFileSync(process.env.DATABASE_URL_FILE, 'utf8').trim();

const client = new Client({ connectionString, connectionTimeoutMillis: 3_000, query_timeout: 3_000 });
await client.connect();
const { rowCount } = await client.query(questions[kind], [kind === 'worker' ? `${hostname()}-%` : addresses]);
await client.end();
process.exit(rowCount > 0 ? 0 : 1);
