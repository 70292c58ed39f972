import { randomBytes } from 'node:crypto';

/** Different in every process, so that ids do not repeat after a restart. */
const processPart = randomBytes(9).toString('base64url');
let count = 0;

const acceptable = /^[\w.:-]{1,128}$/;

/** The caller's own id when it is harmless to log, else a new one. */
export function requestId(sent: string | undefined): string {
  if (sent !== undefined && acceptable.test(sent)) return sent;
  return `${processPart}-${(++count).toString(36)}`;
}
