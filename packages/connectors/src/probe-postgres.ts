import { missing, type Probe, textAt } from './probe.ts';

/** Logs in and asks for a constant. `sslmode` as libpq has it: require checks nothing, verify-full checks the name. */
export const probePostgres: Probe = async (details) => {
  const url = textAt(details, 'url', 'uri', 'connection_string');
  const host = textAt(details, 'host', 'hostname');
  if (url === undefined && host === undefined) return missing('host (or url)');
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    ...(url === undefined
      ? {
          host: host as string,
          port: Number(details['port'] ?? 5432),
          user: textAt(details, 'user', 'username'),
          password: textAt(details, 'password'),
          database: textAt(details, 'database', 'dbname'),
          ssl: sslOf(textAt(details, 'sslmode')),
        }
      : { connectionString: url }),
    application_name: 'pademelon connection test',
  });
  // Breaks that come after the answer are nobody's business.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return { outcome: 'reached', text: 'The database took the log-in and answered a query.' };
  } catch (error) {
    // Codes of five characters are PostgreSQL's own: it was there, and said no.
    const { code = '' } = error as { code?: string };
    if (!/^[0-9A-Z]{5}$/.test(code)) throw error;
    return { outcome: 'refused', text: `The database refused with the code ${code}.` };
  } finally {
    await client.end().catch(() => undefined);
  }
};

function sslOf(mode: string | undefined): false | { rejectUnauthorized: boolean } {
  if (mode === undefined || ['disable', 'allow', 'prefer'].includes(mode)) return false;
  return { rejectUnauthorized: mode === 'verify-full' || mode === 'verify-ca' };
}
