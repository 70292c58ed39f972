import type { ConnectionVerdict, JsonObject } from '@pademelon/domain';

/** How one round trip ended. */
export interface ProbeResult {
  readonly outcome: ConnectionVerdict['outcome'];
  readonly text: string;
}

/**
 * Makes one round trip and tells how it ended. The library of the foreign system is large, so a probe loads it when it is
 * called. Whatever it throws means that the other side could not be reached.
 */
export type Probe = (details: JsonObject) => Promise<ProbeResult>;

/** The first of the keys that has a text. */
export function textAt(details: JsonObject, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = Object.hasOwn(details, key) ? details[key] : undefined;
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

export function missing(...keys: readonly string[]): ProbeResult {
  return { outcome: 'invalid_details', text: `The details lack what a test needs: ${keys.join(', ')}.` };
}
