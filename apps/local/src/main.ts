import { read, readPlatformSettings, SettingError } from '@pademelon/runtime/settings';
import { launch, type Platform } from './launcher.ts';

/** npm passes a signal on that the terminal has sent already: only a later one means "at once". */
const sameSignalMs = 1_000;
const parentCheckMs = 500;

const abort = new AbortController();
let platform: Platform | undefined;
let stoppedAt: number | undefined;

function stop(cause: string): void {
  const now = performance.now();
  if (stoppedAt !== undefined) {
    if (now - stoppedAt < sameSignalMs) return;
    print('Ending everything at once.');
    platform?.kill();
    process.exit(1);
  }
  stoppedAt = now;
  print(`Stopping (${cause}). Once more ends everything at once.`);
  abort.abort(new Error(cause));
  if (platform) void finish(platform);
}

async function finish(running: Platform): Promise<never> {
  try {
    await running.stop();
  } catch (error) {
    print(`It did not stop cleanly: ${(error as Error).message}`);
    process.exit(1);
  }
  print('Stopped.');
  process.exit(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// A terminal or pipe that is gone must not end the platform in disorder.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));

// `npm start` passes signals on, but a killed npm cannot.
const parent = process.ppid;
if (process.env['npm_lifecycle_event'] !== undefined) {
  setInterval(() => process.ppid !== parent && stoppedAt === undefined && stop('npm is gone'), parentCheckMs).unref();
}

try {
  const email = read(process.env, 'PADEMELON_ADMIN_EMAIL') ?? 'admin@pademelon.local';
  platform = await launch({
    settings: readPlatformSettings(),
    email,
    environment: process.env,
    print,
    signal: abort.signal,
  });
  if (stoppedAt !== undefined) await finish(platform);
} catch (error) {
  if (stoppedAt !== undefined) {
    print('Stopped.');
    process.exit(0);
  }
  process.stderr.write(
    `\n${error instanceof SettingError ? error.message : `Pademelon could not start: ${(error as Error).message}`}\n`,
  );
  process.exit(1);
}
