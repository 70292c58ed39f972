import { createHash, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@pademelon/domain';

/** Tells the platform's own processes from everybody else. */
export interface InternalAccess {
  /** Throws `unauthenticated` unless the Authorization header carries the internal key. */
  require(authorization: string | undefined): void;
}

export function createInternalAccess(internalKey: string): InternalAccess {
  const expected = digest(`Bearer ${internalKey}`);
  return {
    require: (authorization) => {
      if (authorization !== undefined && timingSafeEqual(digest(authorization), expected)) return;
      throw new DomainError('unauthenticated', 'This path is for the processes of the platform itself.');
    },
  };
}

/** Of equal length whatever was sent, as the comparison in constant time needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
