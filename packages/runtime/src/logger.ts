import { type Logger, pino } from 'pino';

export type { Logger };

/** One JSON line an event on standard output. Header and token fields are never written. */
export function createLogger(process: string, level = 'info'): Logger {
  return pino({
    name: process,
    level,
    redact: ['req.headers.authorization', 'authorization', 'password', 'token', 'access_token', 'refresh_token'],
  });
}
