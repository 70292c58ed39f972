import { DomainError, type PackagingVerdict } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import { LeaseKeeper } from './lease-keeper.ts';

export interface LeasedPackaging<Built> {
  readonly job: { readonly isLastAttempt: boolean };
  /** When its lease began, by the monotonic clock. */
  readonly claimedAtMs: number;
  readonly leaseMs: number;
  /** Keeps the lease and shows the build log so far. False when the lease is lost. */
  renew(buildLog: string): Promise<boolean>;
  /** Throws a DomainError for what the uploader has to correct; `say` writes a line of the build log. */
  build(say: (line: string) => void): Promise<Built>;
  /** Records the end; `built` is null when it is in error. */
  finish(verdict: PackagingVerdict, built: Built | null): Promise<unknown>;
  /** Names the job. */
  readonly logger: Logger;
}

const maxLogCharacters = 1_000_000;

/**
 * Builds what was uploaded, under the lease of its job. What is not the uploader's fault is tried again by the next
 * claim, until the attempts are used up.
 */
export async function packageUnderLease<Built>(packaging: LeasedPackaging<Built>): Promise<void> {
  const { job, claimedAtMs, leaseMs, logger } = packaging;
  let log = '';
  const say = (line: string): void => {
    // PostgreSQL's text has no NUL.
    if (log.length < maxLogCharacters) log += `${line.replaceAll('\0', '')}\n`;
  };
  const keeper = new LeaseKeeper({
    renew: async () => ((await packaging.renew(log)) ? { kind: 'held', mustStop: null } : { kind: 'lost' }),
    durationMs: leaseMs,
    onRenewed: () => undefined,
    onStop: () => undefined,
    onLost: () => logger.warn('somebody else packages it now'),
  });
  keeper.start(claimedAtMs);
  try {
    const built = await packaging.build(say);
    await packaging.finish({ status: 'ready', reason: null, buildLog: log }, built);
  } catch (error) {
    const isTheirs = error instanceof DomainError && error.word !== 'unavailable';
    if (!isTheirs) logger.error({ err: error }, 'packaging failed');
    if (!isTheirs && !job.isLastAttempt) return;
    const reason = isTheirs ? error.message : 'The platform could not package it; its own log says why.';
    await packaging.finish({ status: 'error', reason, buildLog: log }, null);
  } finally {
    keeper.stop();
  }
}
