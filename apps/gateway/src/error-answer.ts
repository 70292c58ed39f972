import {
  type ErrorBody,
  type ErrorWord,
  inferenceErrorBody,
  inferenceErrorStatus,
  openErrorBody,
  sdkGeneration,
} from '@pademelon/contracts';
import { answerWithText } from '@pademelon/http1';

/** In whose shape an error is told: the API's, that of the caller's SDK for inferences, or the Open Inference Protocol's. */
export type ErrorForm = 'api' | 'inference' | 'open';

export interface GatewayError {
  readonly word: ErrorWord;
  /** A sentence for the caller. */
  readonly message: string;
  /** Where it differs from what the word stands for. */
  readonly status?: number;
  readonly requestId: string;
  readonly userAgent: string | undefined;
  readonly form: ErrorForm;
  readonly closes: boolean;
}

/** A complete error answer, in the shape that the caller reads errors of this route in. */
export function errorAnswer(error: GatewayError): Buffer {
  const status = error.status ?? inferenceErrorStatus[error.word];
  return answerWithText(status, 'application/json', errorBody(error, status), extraHeaders(status, error.closes));
}

function errorBody({ form, userAgent, word, message, requestId }: GatewayError, status: number): string {
  switch (form) {
    case 'open':
      return openErrorBody(message);
    case 'inference':
      return inferenceErrorBody(sdkGeneration(userAgent), { word, message, requestId });
    case 'api':
      return JSON.stringify({ msg: message, code: status, error: word, request_id: requestId } satisfies ErrorBody);
  }
}

function extraHeaders(status: number, closes: boolean): string {
  let lines = '';
  if (status === 429 || status === 503) lines += 'retry-after: 1\r\n';
  if (status === 401) lines += 'www-authenticate: Bearer\r\n';
  return closes ? `${lines}connection: close\r\n` : lines;
}

/** The word for a request that broke the rules of HTTP or took too long. */
export function protocolErrorWord(status: number): ErrorWord {
  if (status === 413 || status === 431) return 'too_large';
  return status === 408 ? 'deadline_exceeded' : 'invalid_input';
}
