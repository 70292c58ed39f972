import { inTransaction } from './in-transaction.ts';
import type { Pool } from './pool.ts';

/** Any constant will do; it must be the same in every process. */
const partitionLock = 7_236_936_643;

/**
 * Makes the partitions of today and the days ahead, by the database's clock, unless they exist. Safe to run by any
 * number of processes at once. Resolves to the names of those it made.
 */
export async function ensureLogPartitions(pool: Pool, daysAhead = 2): Promise<string[]> {
  const missing = await listMissing(pool, daysAhead);
  if (missing.length === 0) return [];
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [partitionLock]);
    const made: string[] = [];
    for (const { day, next } of await listMissing(client, daysAhead)) {
      const name = partitionName(day);
      // Dates come from the database itself, so they need no escaping. Attaching, unlike creating in place, does not
      // lock out readers and writers of the other days.
      await client.query(`CREATE TABLE "${name}" (LIKE inference_log INCLUDING ALL)`);
      await client.query(
        `ALTER TABLE inference_log ATTACH PARTITION "${name}" FOR VALUES FROM ('${day}') TO ('${next}')`,
      );
      made.push(name);
    }
    return made;
  });
}

export function partitionName(day: string): string {
  return `inference_log_${day.replaceAll('-', '')}`;
}

interface MissingDay {
  readonly day: string;
  readonly next: string;
}

// Asks the catalogue's rows, not to_regclass: that answers from a cache which waiting for the lock does not refresh.
async function listMissing(queryable: Pick<Pool, 'query'>, daysAhead: number): Promise<MissingDay[]> {
  const { rows } = await queryable.query<MissingDay>(
    `SELECT day::text, (day + 1)::text AS next
       FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date + n AS day FROM generate_series(0, $1::int) AS n) AS days
      WHERE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'inference_log_' || to_char(day, 'YYYYMMDD')
                           AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'inference_log'::regclass))
      ORDER BY 1`,
    [daysAhead],
  );
  return rows;
}

export interface LogRetention {
  /** Days that are kept besides today. */
  readonly days: number;
  /** Stored bytes beyond which the oldest days go, even if younger; null for no limit. Today always stays. */
  readonly totalBytes: number | null;
}

/** Drops the partitions that retention no longer keeps, oldest first. Resolves to the days dropped (YYYY-MM-DD). */
export async function dropExpiredLogDays(pool: Pool, retention: LogRetention): Promise<string[]> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [partitionLock]);
    // A drop waits for readers and makes later ones wait behind it: give up quickly and try again at the next round.
    await client.query(`SET LOCAL lock_timeout = '2s'`);
    const { rows } = await client.query<{ day: string }>(expiredDays, [retention.days, retention.totalBytes]);
    for (const { day } of rows) {
      await client.query(`DROP TABLE IF EXISTS "${partitionName(day)}"`);
      await client.query('DELETE FROM inference_log_days WHERE day = $1', [day]);
    }
    // Writers and counts are small, but nothing may grow for ever.
    await client.query(`DELETE FROM inference_log_writers WHERE written_at < now() - interval '30 days'`);
    await client.query('DELETE FROM inference_log_drops WHERE counted_at < now() - make_interval(days => $1)', [
      Math.max(retention.days, 30),
    ]);
    await client.query(
      `DELETE FROM inference_log_models AS model WHERE NOT EXISTS
         (SELECT FROM inference_log_days AS logged WHERE logged.pipeline_id = model.pipeline_id)`,
    );
    return rows.map(({ day }) => day);
  });
}

const expiredDays = `
  WITH partitions AS (
    SELECT to_date(right(child.relname, 8), 'YYYYMMDD') AS day
      FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
     WHERE inhparent = 'inference_log'::regclass
  ), sized AS (
    SELECT day, sum(coalesce((SELECT sum(size_bytes) FROM inference_log_days AS d WHERE d.day = partitions.day), 0))
             OVER (ORDER BY day DESC) AS bytes_since
      FROM partitions
  ), today AS (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day)
  SELECT sized.day::text FROM sized, today
   WHERE sized.day < today.day AND (sized.day < today.day - $1::int OR sized.bytes_since > $2::bigint)
   ORDER BY 1`;
