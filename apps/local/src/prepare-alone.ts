// Prepares a database of one's own for services that no launcher starts (docker compose): run once before they start
// and after each update. Ends with 0 when the schema is current and there is a first user.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { read, readPlatformSettings, SettingError } from '@pademelon/runtime/settings';
import { prepareDatabase } from './preparation.ts';

try {
  const settings = readPlatformSettings();
  if (!settings.databaseUrl) throw new SettingError('Set DATABASE_URL to the database that is to be prepared.');
  mkdirSync(settings.home, { recursive: true, mode: 0o700 });
  const credentialsFile = join(settings.home, 'credentials.json');
  const { appliedMigrations, firstUser } = await prepareDatabase(
    {
      databaseUrl: settings.databaseUrl,
      credentialsFile,
      secretKeyFile: settings.secretKey === undefined ? join(settings.home, 'secret.key') : undefined,
      email: read(process.env, 'PADEMELON_ADMIN_EMAIL') ?? 'admin@pademelon.local',
    },
    new AbortController().signal,
  );
  console.log(`The database is ready; ${appliedMigrations.length} migrations were applied now.`);
  const where = firstUser.password === undefined ? 'no file here tells the password' : `password in ${credentialsFile}`;
  console.log(`The first user is ${firstUser.email}; ${where}.`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
