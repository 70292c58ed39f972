/**
 * The stable words for what went wrong, sent as `error` in every error body. Clients may branch on them, so a word is
 * never renamed. The HTTP status of each is decided in one place, the API's error handler.
 */
export const errorWords = [
  'invalid_input',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'too_large',
  'unsupported_media_type',
  'unsupported',
  'model_rejected',
  'invalid_archive',
  'not_ready',
  'deployment_failed',
  'overloaded',
  'deadline_exceeded',
  'unavailable',
  'internal',
] as const;

export type ErrorWord = (typeof errorWords)[number];

/** The body of every error that is not an inference error. `msg` and `code` are what the SDKs read. */
export interface ErrorBody {
  readonly msg: string;
  readonly code: number;
  /** The ErrorWord; for the newer SDK, which shows this to its user, the sentence of `msg`. */
  readonly error: string;
  readonly details?: unknown;
  readonly request_id: string;
}
