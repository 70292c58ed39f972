// Brings the database to the newest schema and makes the first user. A process of its own, which ends before the
// services start: what it loads for this (the schema engine, Prisma) would otherwise stay in the launcher's memory.
import { createDatabase, createPool, migrate, PrismaUserStore } from '@pademelon/database';
import { LoginThrottle, UserService } from '@pademelon/domain';
import { loadSecretKey } from '@pademelon/runtime';
import { Argon2Passwords } from '@pademelon/tokens';
import { ensureFirstUser } from './first-user.ts';
import type { PreparationAnswer, PreparationOrder } from './preparation.ts';

async function prepare(order: PreparationOrder): Promise<PreparationAnswer> {
  if (order.secretKeyFile) loadSecretKey({ file: order.secretKeyFile });
  const appliedMigrations = await migrate(order.databaseUrl);
  const pool = createPool(order.databaseUrl, { max: 2, name: 'pademelon-launcher' });
  try {
    const passwords = new Argon2Passwords();
    const store = new PrismaUserStore(createDatabase(pool));
    const users = new UserService({ store, passwords, throttle: new LoginThrottle({ now: Date.now }) });
    const firstUser = await ensureFirstUser({
      users,
      file: order.credentialsFile,
      email: order.email,
      makePassword: () => passwords.generate(),
    });
    return { appliedMigrations, firstUser };
  } finally {
    await pool.end();
  }
}

/** A refused connection to a name with several addresses is an AggregateError without any message. */
function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(sentenceOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

process.once('message', (order: PreparationOrder) => {
  prepare(order).then(
    (answer) => process.send?.(answer, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${sentenceOf(error)}\n`);
      process.exit(1);
    },
  );
});
// Nobody would read the answer.
process.once('disconnect', () => process.exit());
