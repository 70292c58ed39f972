import type { Doorbell } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';

export interface OpenDoorbell extends Doorbell {
  close(): Promise<void>;
}

/**
 * The queue as the API uses it, loaded at the first ring: an installation that runs no tasks spends neither memory nor a
 * connection on it.
 */
export function openDoorbell(options: {
  redisUrl: string | undefined;
  databaseUrl: string;
  logger: Logger;
}): OpenDoorbell {
  const { redisUrl, databaseUrl, logger } = options;
  const onError = (error: unknown): void =>
    logger.warn({ err: error }, 'the queue failed; workers find work by looking');
  let opening: Promise<OpenDoorbell> | null = null;
  const open = async (): Promise<OpenDoorbell> => {
    const { openDoorbellQueue } = await import('@pademelon/queue');
    return openDoorbellQueue({ redisUrl, databaseUrl, onError });
  };
  return {
    // Not waited for: the row is committed, and an answer must not wait for a queue that is away.
    ring: async (kind, id) => {
      opening ??= open();
      opening.then((queue) => queue.ring(kind, id)).catch(onError);
    },
    close: async () => {
      const queue = await opening?.catch(() => null);
      await queue?.close();
    },
  };
}
