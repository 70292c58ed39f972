import { DomainError } from '../domain-error.ts';
import { isJsonObject, isStorableText, type JsonObject, requirePlainJson } from '../plain-json.ts';
import type { MissedRunPolicy, OverlapPolicy } from './task.ts';

/** What the caller of run_once, run_scheduled or run_continuously asks for. */
export interface TaskOrder {
  readonly orchestrationId: string;
  readonly workspaceId: number;
  readonly name: string | null;
  readonly inputData: unknown;
  /** Default: one hour. A continuous task has none unless one is asked for. */
  readonly timeoutSeconds?: number | undefined;
  /** Default 1: a run that failed is not repeated. */
  readonly maxAttempts?: number | undefined;
}

export interface ScheduleOrder {
  readonly schedule: string;
  /** Default UTC. */
  readonly timeZone?: string | undefined;
  /** Default skip. */
  readonly overlapPolicy?: OverlapPolicy | undefined;
  /** Default last. */
  readonly missedRunPolicy?: MissedRunPolicy | undefined;
}

export const timeoutLimits = { min: 1, max: 86_400, fallback: 3_600 } as const;
const maxArgumentBytes = 64 * 1024;
const maxNameLength = 255;
const maxAttempts = 10;

export interface CheckedOrder {
  readonly inputData: JsonObject;
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
}

/** Throws `invalid_input` or `too_large`, naming what is wrong; the arguments themselves are never quoted. */
export function checkOrder(order: TaskOrder, fallbackTimeout: number = timeoutLimits.fallback): CheckedOrder {
  const { name, inputData, timeoutSeconds = fallbackTimeout, maxAttempts: attempts = 1 } = order;
  if (name !== null && (name.length > maxNameLength || !isStorableText(name))) {
    throw new DomainError('invalid_input', `The name of a task has at most ${maxNameLength} characters.`);
  }
  requireWhole('timeout', timeoutSeconds, { ...timeoutLimits, unit: ' seconds' });
  requireWhole('max_attempts', attempts, { min: 1, max: maxAttempts, unit: '' });
  if (!isJsonObject(inputData)) throw new DomainError('invalid_input', 'The arguments (json) are a JSON object.');
  requirePlainJson('arguments of the task', inputData);
  if (Buffer.byteLength(JSON.stringify(inputData)) > maxArgumentBytes) {
    throw new DomainError('too_large', `The arguments of a task have at most ${maxArgumentBytes} bytes as JSON.`);
  }
  return { inputData, timeoutSeconds, maxAttempts: attempts };
}

function requireWhole(what: string, value: number, rule: { min: number; max: number; unit: string }): void {
  const { min, max, unit } = rule;
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new DomainError('invalid_input', `The ${what} of a task is a whole number from ${min} to ${max}${unit}.`);
}
