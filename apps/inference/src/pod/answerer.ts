import { type InferenceErrorForm, inferenceErrorBody, inferenceErrorStatus } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { answerHead, answerWithText } from '@pademelon/http1';
import { ByteWriter } from './codecs/byte-writer.ts';
import type { AnswerForm } from './data-plane.ts';

export interface AnswererOptions {
  /** Told of errors that are nobody's input but our fault. */
  readonly onFault: (error: unknown) => void;
}

/** Whom an answer is for. */
export interface Addressee {
  /** The shape in which errors are told. */
  readonly form: InferenceErrorForm;
  readonly requestId: string;
}

/** Room for the head of an answer, which is written when the length of the body is known. */
const headRoom = 512;

/** Makes complete HTTP answers of what requests come to, and counts both kinds. */
export class Answerer {
  requests = 0;
  errors = 0;
  readonly #options: AnswererOptions;
  readonly #writer = new ByteWriter();

  constructor(options: AnswererOptions) {
    this.#options = options;
  }

  /** The answer that `write` fills, or the error's when it throws. `write` tells what the head must say. */
  answer(to: Addressee, write: (writer: ByteWriter) => AnswerForm): Buffer {
    const writer = this.#writer;
    writer.begin(headRoom);
    try {
      const { contentType, headers } = write(writer);
      this.requests += 1;
      const lines = requestIdLine(to.requestId) + headers;
      return writer.take(answerHead(200, contentType, writer.contentLength, lines));
    } catch (error) {
      return this.refuse(to, error);
    }
  }

  /** An answer that tells the error; one that is no DomainError is a fault of ours. */
  refuse({ form, requestId }: Addressee, error: unknown): Buffer {
    this.requests += 1;
    this.errors += 1;
    const told = error instanceof DomainError ? error : this.#fault(error);
    const body = inferenceErrorBody(form, { word: told.word, message: told.message, requestId });
    const retryLine = told.word === 'overloaded' ? 'retry-after: 1\r\n' : '';
    const lines = requestIdLine(requestId) + retryLine;
    return answerWithText(inferenceErrorStatus[told.word], 'application/json', body, lines);
  }

  #fault(error: unknown): DomainError {
    this.#options.onFault(error);
    return new DomainError('internal', 'The pod failed to answer this request; its log says why.');
  }
}

/** The id comes from the caller's bytes, and a head is ours: anything but a plain id is left out. */
function requestIdLine(requestId: string): string {
  return /^[\w.-]{1,128}$/.test(requestId) ? `x-request-id: ${requestId}\r\n` : '';
}
