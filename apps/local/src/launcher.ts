import { join } from 'node:path';
import { findFreePort } from '@pademelon/runtime/ports';
import { type PlatformSettings, SettingError } from '@pademelon/runtime/settings';
import { announce } from './announcement.ts';
import { type HomeFolder, openHomeFolder } from './home-folder.ts';
import { LocalDatabase } from './local-database.ts';
import { LogSummary } from './log-summary.ts';
import { requirePort } from './ports.ts';
import { prepareDatabase } from './preparation.ts';
import { untilReady } from './readiness.ts';
import { RotatingFile } from './rotating-file.ts';
import { Service } from './service.ts';
import { planServices, type ServiceDefinition } from './services.ts';

export interface LaunchOptions {
  readonly settings: PlatformSettings;
  /** The first user's. */
  readonly email: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  /** Aborted when the start shall be given up. */
  readonly signal: AbortSignal;
}

export interface Platform {
  /** Stops in order: front door, inference, API, database. */
  stop(): Promise<void>;
  /** Ends every service at once; the database, asked by the kernel, follows when this process ends. */
  kill(): void;
}

const readyWithinMs = 120_000;

/**
 * Starts everything in the data folder and resolves when it is ready and announced. When a step fails, what had started
 * is stopped before the error is thrown.
 */
export async function launch({ settings, email, environment, print, signal }: LaunchOptions): Promise<Platform> {
  const startedAt = performance.now();
  await using undo = new AsyncDisposableStack();

  const home = openHomeFolder(settings.home);
  undo.defer(() => home.release());
  const port = await requirePort(settings.host, settings.port);
  const publicUrl = settings.publicUrl.replace(/:0$/, `:${port}`);

  const databaseUrl = settings.databaseUrl || (await startDatabase(home, print, undo));
  signal.throwIfAborted();
  const order = {
    databaseUrl,
    credentialsFile: home.credentialsFile,
    secretKeyFile: settings.secretKey === undefined ? home.secretKeyFile : undefined,
    email,
  };
  const { firstUser } = await prepareDatabase(order, signal);

  const plan = { ...settings, port, apiPort: await findFreePort(), publicUrl, databaseUrl, environment };
  const services = startServices(planServices(plan), home, print, undo);
  try {
    await Promise.all([
      untilReady({ host: settings.host, port, withinMs: readyWithinMs, signal }),
      ...services.map((service) => service.started),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    throw new SettingError(`${(error as Error).message} The logs are in ${home.logs}.`);
  }
  const startMs = performance.now() - startedAt;
  print(announce({ ...settings, publicUrl, firstUser, startMs, credentialsFile: home.credentialsFile }));

  const running = undo.move();
  return {
    stop: () => running.disposeAsync(),
    kill: () => {
      for (const service of services) service.kill();
    },
  };
}

async function startDatabase(
  home: HomeFolder,
  print: LaunchOptions['print'],
  undo: AsyncDisposableStack,
): Promise<string> {
  const log = openLog(home, 'postgres', undo);
  const onEnded = (sentence: string): void => print(`  postgres: ${sentence}`);
  const database = await LocalDatabase.start({ folder: home.database, log, onEnded });
  undo.defer(() => database.stop());
  return database.url;
}

function startServices(
  definitions: readonly ServiceDefinition[],
  home: HomeFolder,
  print: LaunchOptions['print'],
  undo: AsyncDisposableStack,
): Service[] {
  const summary = new LogSummary({ print });
  return definitions.map((definition) => {
    const { name } = definition;
    const log = openLog(home, name, undo);
    const service = new Service({
      ...definition,
      onLine: (line, isError) => {
        log.write(line);
        summary.take(name, line, isError);
      },
      onEnded: (sentence) => print(`  ${name}: ${sentence}`),
    });
    undo.defer(() => service.stop());
    service.start();
    return service;
  });
}

function openLog(home: HomeFolder, name: string, undo: AsyncDisposableStack): RotatingFile {
  const log = new RotatingFile(join(home.logs, `${name}.log`));
  undo.defer(() => log.close());
  return log;
}
