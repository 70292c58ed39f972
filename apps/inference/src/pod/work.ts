import type { InferenceErrorForm } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { AnswererOptions } from './answerer.ts';
import type { DataPlane } from './data-plane.ts';
import type { RequestPlan } from './request-plan.ts';

/** Where an answer goes. */
export interface Recipient {
  readonly isClosed: boolean;
  /** The bytes are the recipient's from then on. */
  answer(bytes: Buffer): void;
}

export interface Work {
  readonly plan: RequestPlan;
  readonly body: Buffer;
  readonly requestId: string;
  readonly connection: Recipient;
  /** On the clock of performance.now(): later it is not worth running any more. */
  readonly deadlineAtMs: number;
}

export interface Refusal {
  readonly error: unknown;
  readonly form: InferenceErrorForm;
  readonly requestId: string;
  readonly connection: Recipient;
}

/** What stands between the sockets and the data plane: decides what runs when, and with what. */
export interface Queue {
  /** Answered requests, and those of them that were refused. */
  readonly requests: number;
  readonly errors: number;
  /** Requests that wait. */
  readonly queued: number;
  add(work: Work): void;
  /** Answers with an error at once: nothing of such a request is in the log. */
  refuse(refusal: Refusal): void;
  /** Resolves when nothing of what was answered is still to be logged. Absent where answers and records go together. */
  settled?(): Promise<void>;
}

export interface QueueOptions extends AnswererOptions {
  readonly dataPlane: DataPlane;
  /** Hands the log records of the turn over; called before its answers are sent. */
  readonly flushLog: () => void;
  /**
   * A turn ends after this long even when work waits, so that timers (the pod's sign of life) and new requests get
   * theirs. A single run that takes longer still ends only when the model does.
   */
  readonly turnMs?: number;
}

export const defaultTurnMs = 5;

export function waitedTooLong(): DomainError {
  return new DomainError(
    'deadline_exceeded',
    'The request waited in the pod until its deadline and was not run; the pipeline has more to do than it can.',
  );
}
