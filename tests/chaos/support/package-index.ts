import { resolve } from 'node:path';
import { findInterpreter, findUv, pythonVersionsFor } from '@pademelon/workbench';
import {
  buildWheel,
  startTestIndex,
  type TestIndex,
} from '../../../packages/workbench/src/package-index-test-server.ts';

/** uv itself comes from the package registry, once per checkout. */
const toolFolder = resolve(import.meta.dirname, '../../../.cache/uv');

/** The version that every package of the index has, that of the SDK among them. */
export const sdkVersion = '1.0';
/** A package that only the orchestration `slow` asks for. */
export const slowPackage = 'slow_package';

/** An index of empty packages under the names of the base set: what runs do here needs none of them. */
export async function openPackageIndex(): Promise<TestIndex> {
  const index = await startTestIndex();
  for (const name of ['wallaroo', 'requests', 'pandas', 'pyarrow', slowPackage]) {
    index.add(`${name}-1.0-py3-none-any.whl`, buildWheel(name, { [`${name}/__init__.py`]: '' }));
  }
  return index;
}

/** The path of uv, which workers take from PATH. */
export async function provideUv(): Promise<string> {
  const versions = pythonVersionsFor(sdkVersion);
  const interpreter = await findInterpreter(versions, process.env);
  if (interpreter === null) throw new Error(`The chaos tests need a Python of ${versions.join(' or ')}.`);
  return findUv(toolFolder, interpreter.path);
}
