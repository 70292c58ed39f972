import type { Database } from './prisma.ts';

/** Tells listeners on other processes to look now (contracts/channels.ts). Sent at commit when inside a transaction. */
export async function notify(database: Pick<Database, '$executeRaw'>, channel: string): Promise<void> {
  await database.$executeRaw`SELECT pg_notify(${channel}, '')`;
}
