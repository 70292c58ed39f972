import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPool, PgRunSurroundings, PostgresSigningKeyStore } from '@pademelon/database/sql';
import {
  createLogger,
  deriveKey,
  loadSecretKey,
  type RunningProcess,
  readOldSecretKey,
  readSealingKeys,
  runProcess,
} from '@pademelon/runtime';
import { EnvelopeVault, issuerUrl, RunTokens, SigningKeys } from '@pademelon/tokens';
import { startWorker } from './compose-worker.ts';
import { maxStopMs, readWorkerSettings } from './worker-settings.ts';

const settings = readWorkerSettings(process.env);
const logger = createLogger('worker', settings.logLevel);

async function start(): Promise<RunningProcess> {
  mkdirSync(settings.home, { recursive: true });
  const secretKey = loadSecretKey({ value: settings.secretKey, file: join(settings.home, 'secret.key') });
  const pool = createPool(settings.databaseUrl, { max: 8, name: 'pademelon-worker' });
  const oldSecretKey = readOldSecretKey(process.env, secretKey);
  const keys = new SigningKeys({
    store: new PostgresSigningKeyStore(pool),
    sealingKey: deriveKey(secretKey, 'signing keys'),
    oldSealingKey: oldSecretKey && deriveKey(oldSecretKey, 'signing keys'),
  });
  const surroundings = new PgRunSurroundings({
    pool,
    vault: new EnvelopeVault(readSealingKeys(process.env, secretKey)),
    tokens: new RunTokens({ keys, issuer: issuerUrl(settings.publicUrl) }),
    onTampered: (connection, error) => logger.error({ err: error, connection }, 'sealed details do not open'),
  });
  const stop = await startWorker({ settings, pool, surroundings, secretKey, logger });
  return {
    stop: async () => {
      await stop();
      await pool.end();
    },
  };
}

await runProcess(logger, start, { stopDeadlineMs: maxStopMs(settings) });
