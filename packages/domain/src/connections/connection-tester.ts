import type { JsonObject } from '../plain-json.ts';

/** What a round trip to the foreign system showed. */
export interface ConnectionVerdict {
  readonly isReachable: boolean;
  /** A stable word for what happened. */
  readonly outcome: 'reached' | 'invalid_details' | 'blocked' | 'unreachable' | 'refused' | 'timeout' | 'unsupported';
  /** A sentence for the user. It never quotes the details. */
  readonly text: string;
  readonly elapsedMs: number;
}

/** Knows the foreign systems that connections of known types lead to. */
export interface ConnectionTester {
  /** What is wrong with the details of a known type, in a sentence; null when nothing is, or the type is not known. */
  findFault(type: string, details: JsonObject | null): string | null;
  /** One real round trip with the details. Ends within seconds, whatever the other side does; never throws for it. */
  test(type: string, details: JsonObject | null): Promise<ConnectionVerdict>;
}
