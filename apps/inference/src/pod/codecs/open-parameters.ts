import { DomainError } from '@pademelon/domain/domain-error';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The `parameters` of a request, an input or an output; `owner` names it in messages. */
export function readParameters(parameters: unknown, owner: string): JsonObject {
  if (parameters === undefined) return {};
  if (isObject(parameters)) return parameters;
  throw new DomainError('invalid_input', `The "parameters" of ${owner} must be an object.`);
}

export function refuseSharedMemory(parameters: JsonObject, owner: string): void {
  if (parameters['shared_memory_region'] === undefined) return;
  throw new DomainError('invalid_input', `Shared memory for ${owner} is not supported; send tensors in the body.`);
}

export function readFlag(parameters: JsonObject, key: string, owner: string): boolean | undefined {
  const flag = parameters[key];
  if (flag === undefined || typeof flag === 'boolean') return flag;
  throw new DomainError('invalid_input', `The parameter "${key}" of ${owner} must be true or false.`);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
