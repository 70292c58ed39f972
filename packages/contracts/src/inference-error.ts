import type { ErrorWord } from './error-words.ts';
import { openErrorBody } from './open-inference.ts';
import type { SdkGeneration } from './sdk-generation.ts';

/**
 * Status of an inference error. None is 503 but those that mean "try again": both SDK generations repeat a 503 ten
 * times, for about two minutes. A deployment that failed is a 500, which neither repeats, and no 4xx, since no other
 * request would fare better.
 */
export const inferenceErrorStatus: Readonly<Record<ErrorWord, number>> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  model_rejected: 422,
  invalid_archive: 400,
  overloaded: 429,
  internal: 500,
  deployment_failed: 500,
  unsupported: 501,
  unavailable: 502,
  not_ready: 503,
  deadline_exceeded: 504,
};

export interface InferenceError {
  readonly word: ErrorWord;
  /** A sentence for the caller. */
  readonly message: string;
  readonly requestId: string;
}

/** In whose shape an inference error is told: an SDK generation's, or the Open Inference Protocol's. */
export type InferenceErrorForm = SdkGeneration | 'open';

/** The JSON body of an inference error, in the one shape that its reader understands. */
export function inferenceErrorBody(form: InferenceErrorForm, { word, message, requestId }: InferenceError): string {
  if (form === 'open') return openErrorBody(message);
  if (form === '2023') return JSON.stringify([{ error: message, error_type: word }]);
  const code = inferenceErrorStatus[word];
  return JSON.stringify({
    code,
    status: 'Error',
    error: message,
    source: 'engine',
    msg: message,
    request_id: requestId,
  });
}
