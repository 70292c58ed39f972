import { join } from 'node:path';
import {
  createPool,
  findCurrentAttempts,
  loadAccess,
  loadPublicKeys,
  loadRoutes,
  type Pool,
  writeGatewayLoads,
} from '@pademelon/database/sql';
import { DeadlineWatch } from '@pademelon/http1';
import {
  createLogger,
  type Logger,
  loadSecretKey,
  podKey,
  read,
  readChoice,
  readInteger,
  readPlatformSettings,
  runProcess,
  SettingError,
} from '@pademelon/runtime';
import { createTokenVerifier, issuerUrl, type TokenVerifier } from '@pademelon/tokens';
import { AccessTable } from './access-table.ts';
import { ApiDestination } from './api-destination.ts';
import { AttemptTable } from './attempt-table.ts';
import { Authenticator } from './authenticator.ts';
import { defaultClientTimeouts } from './client-connection.ts';
import { Gateway } from './gateway.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { LoadReporter } from './load-reporter.ts';
import { RequestRouter } from './request-router.ts';
import { RouteTable, routePath } from './route-table.ts';
import { TableRefresher } from './table-refresher.ts';
import { TokenCache } from './token-cache.ts';

const settings = readPlatformSettings();
const apiUrl = readHttpUrl('PADEMELON_API_URL', 'http://127.0.0.1:8081');
const isProxyTrusted = readChoice(process.env, 'PADEMELON_TRUST_PROXY', ['on', 'off'], 'off') === 'on';
const limits = {
  perPod: readInteger(process.env, 'PADEMELON_POD_CONCURRENCY', { fallback: 64, min: 1, max: 10_000 }),
  queued: readInteger(process.env, 'PADEMELON_DEPLOYMENT_QUEUE', { fallback: 512, min: 0, max: 100_000 }),
  queueWaitMs: readInteger(process.env, 'PADEMELON_QUEUE_WAIT_MS', { fallback: 3_000, min: 1, max: 3.6e6 }),
  // The same settings as the hosts'.
  requestDeadlineMs: readInteger(process.env, 'PADEMELON_REQUEST_DEADLINE_MS', {
    fallback: 60_000,
    min: 100,
    max: 3.6e6,
  }),
  runDeadlineMs: readInteger(process.env, 'PADEMELON_RUN_DEADLINE_MS', { fallback: 30_000, min: 100, max: 3.6e6 }),
};
const logger = createLogger('gateway', settings.logLevel);

await runProcess(logger, async () => {
  const secretKey = loadSecretKey({ value: settings.secretKey, file: join(settings.home, 'secret.key') });
  const pool = createPool(settings.databaseUrl, { max: 3, name: 'pademelon-gateway' });
  const watch = new DeadlineWatch();
  const metrics = new GatewayMetrics();
  const access = new AccessTable();
  const tokens = new TokenCache();
  const attempts = new AttemptTable((asked) => findCurrentAttempts(pool, asked));
  const routes = new RouteTable({ watch, limits, podKey: (podId) => podKey(secretKey, podId) });
  const verifier = createTokenVerifier({
    issuer: issuerUrl(settings.publicUrl),
    loadKeys: () => loadPublicKeys(pool),
  });
  const authenticator = new Authenticator({
    access,
    tokens,
    attempts,
    verify: (token) => {
      metrics.tokensVerified++;
      return verifier.verify(token);
    },
    isAuthOff: settings.isAuthOff,
  });
  const loads = new LoadReporter({
    loadOf: (row) => routes.find(routePath(row))?.load ?? null,
    write: (gatewayId, told) => writeGatewayLoads(pool, gatewayId, told),
  });
  const refresher = createRefresher({ pool, logger, metrics, routes, loads, access, attempts, verifier, tokens });
  await refresher.start();
  loads.start();
  const api = new ApiDestination({ address: apiUrl.hostname, port: Number(apiUrl.port || 80), watch });
  const onFault = (error: unknown): void => logger.error({ err: error }, 'request failed');
  const router = new RequestRouter({ routes, access, authenticator, api, metrics, isProxyTrusted, onFault });
  const gateway = new Gateway({ router, watch, metrics, timeouts: defaultClientTimeouts, maxConnections: 10_000 });
  const port = await gateway.listen(settings.host, settings.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new SettingError(`PORT ${settings.port} is taken by another program; set PORT to a free one.`);
  });
  logger.info({ port }, 'the gateway listens');
  return {
    stop: async () => {
      await gateway.stop();
      loads.stop();
      await refresher.stop();
      routes.replace([]);
      api.pool.close();
      watch.stop();
      await pool.end();
    },
  };
});

interface Refreshed {
  readonly pool: Pool;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly routes: RouteTable;
  readonly loads: LoadReporter;
  readonly access: AccessTable;
  readonly attempts: AttemptTable;
  readonly verifier: TokenVerifier;
  readonly tokens: TokenCache;
}

/** Keeps what the gateway knows of pods and callers up to date. */
function createRefresher({ pool, logger, metrics, ...tables }: Refreshed): TableRefresher {
  const { routes, loads, access, attempts, verifier, tokens } = tables;
  let knownKeys = '';
  return new TableRefresher({
    databaseUrl: settings.databaseUrl,
    refreshRoutes: async () => {
      const rows = await loadRoutes(pool);
      routes.replace(rows);
      loads.watch(rows);
      metrics.refreshedAtMs = performance.now();
    },
    refreshAccess: async () => {
      access.replace(await loadAccess(pool));
      await attempts.refresh();
      const keys = (await loadPublicKeys(pool)).map((key) => key.kid).join();
      // A key may have been withdrawn because it leaked: what it signed must be looked at again.
      if (keys !== knownKeys) {
        await verifier.reloadKeys();
        tokens.clear();
        knownKeys = keys;
      }
    },
    onOutage: (error) => logger.warn({ err: error }, 'the database is away; serving with what was known'),
    onRecovery: () => logger.info('the database is back'),
  });
}

function readHttpUrl(name: string, fallback: string): URL {
  const text = read(process.env, name) ?? fallback;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:')
    throw new SettingError(`${name} must be an http:// URL, but is ${JSON.stringify(text)}.`);
  return url;
}
