import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { slowPackage } from './package-index.ts';

/** As if the run came to a worker that has not built its environment, nor fetched anything for it, nor left a build. */
export function forgetSlowEnvironment(environments: string): void {
  const ready = join(environments, 'ready');
  // Another worker has packaged everything so far.
  if (!existsSync(ready)) return;
  for (const hash of readdirSync(ready)) {
    const packages = readdirSync(join(ready, hash, 'lib')).map((python) => join(ready, hash, 'lib', python));
    const hasSlow = packages.some((folder) => readdirSync(join(folder, 'site-packages')).includes(slowPackage));
    // The worker may be writing byte code into it still.
    if (hasSlow) rmSync(join(ready, hash), { recursive: true, maxRetries: 10 });
  }
  const building = join(environments, 'work/building');
  for (const id of readdirSync(building)) rmSync(join(building, id), { recursive: true, maxRetries: 10 });
  rmSync(join(environments, 'work/cache'), { recursive: true, force: true, maxRetries: 10 });
}
