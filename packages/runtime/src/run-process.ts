import type { Logger } from './logger.ts';
import { releaseStartMemory } from './release-start-memory.ts';
import { SettingError } from './settings.ts';

export interface RunningProcess {
  /** Stops in order: no new work, finish what runs, release. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /**
   * How long an orderly stop may take before the process ends anyway; 15 s by default. The launcher is told and waits a
   * little longer; `stop_grace_period` in docker-compose.yml has to be longer, too.
   */
  readonly stopDeadlineMs?: number;
}

/** What a process tells the launcher over its IPC channel once it has started. */
export interface StartedMessage {
  readonly type: 'started';
  readonly stopDeadlineMs: number;
}

/** How long it may take when whoever started the process was killed: its database is going away too, and nobody else ends us. */
const orphanDeadlineMs = 3_000;

/**
 * The shape of every process: start, then stop on SIGTERM or SIGINT, or when the launcher that started it is gone (its
 * IPC channel closes), so that no process outlives the stack. A setting that cannot be used ends it with one sentence.
 * A wish to stop that comes during the start is heard as soon as the start is over; a stop that hangs is cut off.
 */
export async function runProcess(
  logger: Logger,
  start: () => Promise<RunningProcess>,
  { stopDeadlineMs = 15_000 }: ProcessOptions = {},
): Promise<void> {
  const stopWanted = Promise.withResolvers<string>();
  let isOrphan = false;
  const end = (code: number): never => (isOrphan ? endWithChildren() : exit(code));
  const want = (cause: string, deadlineMs: number): void => {
    stopWanted.resolve(cause);
    setTimeout(() => {
      logger.error({ cause, deadlineMs }, 'did not stop in time');
      end(1);
    }, deadlineMs).unref();
  };
  process.once('SIGTERM', () => want('SIGTERM', stopDeadlineMs));
  process.once('SIGINT', () => want('SIGINT', stopDeadlineMs));
  if (process.send) {
    const orphaned = (): void => {
      isOrphan = true;
      want('the launcher is gone', orphanDeadlineMs);
    };
    if (process.connected) process.once('disconnect', orphaned);
    else orphaned();
  }

  const running = await start().catch((error: unknown) => {
    if (error instanceof SettingError) process.stderr.write(`${error.message}\n`);
    else logger.fatal({ err: error }, 'could not start');
    process.exit(1);
  });
  if (process.connected) process.send?.({ type: 'started', stopDeadlineMs } satisfies StartedMessage);
  releaseStartMemory();

  void stopWanted.promise.then((cause) => {
    logger.info({ cause }, 'stopping');
    return stopOrderly(logger, running).then(end);
  });
}

/** Resolves to the status to end with. */
async function stopOrderly(logger: Logger, running: RunningProcess): Promise<number> {
  try {
    await running.stop();
    return 0;
  } catch (error) {
    logger.error({ err: error }, 'did not stop cleanly');
    return 1;
  }
}

/** For a process whose status somebody reads, and who kills it when it does not get that far. */
function exit(code: number): never {
  try {
    process.exit(code);
  } finally {
    // Reached only when a listener of `exit` has thrown; the process would linger half ended.
    process.kill(process.pid, 'SIGKILL');
  }
}

/**
 * For a process that nobody else would end: process.exit() can hang for ever, waiting for a thread that compiles and
 * waits for this one (nodejs/node#54918), or throw when whoever reads our log is gone. The launcher made it the leader
 * of a group, in which there may be a pod that its model blocks.
 */
function endWithChildren(): never {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
  throw new Error('A process has outlived SIGKILL.');
}
