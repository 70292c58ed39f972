import { join } from 'node:path';
import { createPool } from '@pademelon/database';
import {
  createLogger,
  loadSecretKey,
  read,
  readAddresses,
  readChoice,
  readInteger,
  readOldSecretKey,
  readPlatformSettings,
  readSealingKeys,
  runProcess,
} from '@pademelon/runtime';
import { buildApp } from './app.ts';
import { composeServices } from './compose-services.ts';
import { openDoorbell } from './open-doorbell.ts';

const settings = readPlatformSettings();
const listenHost = read(process.env, 'PADEMELON_API_HOST') ?? '127.0.0.1';
const listenPort = readInteger(process.env, 'PADEMELON_API_PORT', { fallback: 8081, min: 0, max: 65535 });
const artifactFolder = read(process.env, 'PADEMELON_ARTIFACTS') ?? join(settings.home, 'artifacts');
const accessTokenSeconds = readInteger(process.env, 'PADEMELON_ACCESS_TOKEN_SECONDS', {
  fallback: 3600,
  min: 60,
  max: 86_400,
});
const isQueueOn = readChoice(process.env, 'PADEMELON_QUEUE', ['on', 'off'], 'on') === 'on';
const redisUrl = read(process.env, 'REDIS_URL');
const connectAllow = readAddresses(process.env, 'PADEMELON_CONNECT_ALLOW');
const maxArchiveBytes = readInteger(process.env, 'PADEMELON_MAX_ARCHIVE_BYTES', {
  fallback: 100 * 1024 ** 2,
  min: 1024,
  max: 2 ** 31 - 1,
});
const requestsPerMinute = readInteger(process.env, 'PADEMELON_API_REQUESTS_PER_MINUTE', {
  fallback: 6_000,
  min: 60,
  max: 1e9,
});
const logger = createLogger('api', settings.logLevel);

await runProcess(logger, async () => {
  const secretKey = loadSecretKey({ value: settings.secretKey, file: join(settings.home, 'secret.key') });
  const pool = createPool(settings.databaseUrl, { max: 20, name: 'pademelon-api' });
  const doorbell = isQueueOn ? openDoorbell({ redisUrl, databaseUrl: settings.databaseUrl, logger }) : null;
  const services = await composeServices({
    ...settings,
    ...(doorbell === null ? {} : { doorbell }),
    accessTokenSeconds,
    artifactFolder,
    connectAllow,
    logger,
    maxArchiveBytes,
    oldSecretKey: readOldSecretKey(process.env, secretKey),
    pool,
    sealingKeys: readSealingKeys(process.env, secretKey),
    secretKey,
  });
  const app = await buildApp({ services, publicUrl: settings.publicUrl, logger, requestsPerMinute });
  const url = await app.listen({ host: listenHost, port: listenPort });
  logger.info({ url }, 'the API listens');
  return {
    stop: async () => {
      await app.close();
      await services.stop();
      await doorbell?.close();
      await pool.end();
    },
  };
});
