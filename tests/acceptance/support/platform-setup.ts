import type { TestProject } from 'vitest/node';
import { type Platform, startPlatform } from './platform.ts';

declare module 'vitest' {
  interface ProvidedContext {
    platform: Platform;
  }
}

/** One product for all files; a file that breaks or restarts things starts its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // A short deadline for loading, so that the model that never ends is found out soon.
  const platform = await startPlatform({ env: { PADEMELON_LOAD_DEADLINE_MS: '15000' } });
  process.stdout.write(`npm start to ready: ${(platform.startMs / 1000).toFixed(2)} s (cold data folder)\n`);
  const { url, home, username, password, pid } = platform;
  project.provide('platform', { url, home, username, password, pid });
  return () => platform.dispose();
}
