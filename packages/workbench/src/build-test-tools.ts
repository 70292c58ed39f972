import { resolve } from 'node:path';
import { findUv } from './find-uv.ts';
import { findInterpreter, type Interpreter } from './interpreter.ts';

/** What tests build environments with. uv itself comes from the package registry, once per checkout. */
export async function findBuildTools(): Promise<{ interpreter: Interpreter; uv: string }> {
  const interpreter = await findInterpreter(['3.11', '3.12', '3.10', '3.13'], process.env);
  if (interpreter === null) throw new Error('These tests need a Python from 3.10 on.');
  return { interpreter, uv: await findUv(resolve(import.meta.dirname, '../../../.cache/uv'), interpreter.path) };
}
