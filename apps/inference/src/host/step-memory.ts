import { parseQuantity } from '@pademelon/contracts';
import type { PodModelRow } from '@pademelon/database/sql';

/**
 * Memory that a deployment gives a Python step, in bytes: what it says of the model as a sidekick, else what it says of
 * the engine; null when it says nothing.
 */
export function readStepMemory(engineConfig: unknown, { name, versionId }: Pick<PodModelRow, 'name' | 'versionId'>) {
  const images = member(member(engineConfig, 'engineAux'), 'images');
  return memoryOf(member(images, `${name}-${versionId}`)) ?? memoryOf(member(engineConfig, 'engine'));
}

function memoryOf(part: unknown): number | null {
  return parseQuantity(member(member(member(part, 'resources'), 'limits'), 'memory'));
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}
