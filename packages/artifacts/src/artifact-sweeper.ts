import type { LocalArtifactStore } from './local-artifact-store.ts';

export interface ArtifactSweeper {
  /** Resolves to how many abandoned files were removed. */
  runOnce(): Promise<number>;
  stop(): void;
}

/** Sweeps a store now and then every `intervalMs`; what goes wrong is told to `onError` and tried again next time. */
export function startArtifactSweeper(
  store: LocalArtifactStore,
  options: { intervalMs?: number; onError: (error: unknown) => void },
): ArtifactSweeper {
  const runOnce = (): Promise<number> => store.sweep(Date.now());
  const timer = setInterval(() => runOnce().catch(options.onError), options.intervalMs ?? 10 * 60 * 1000);
  timer.unref();
  runOnce().catch(options.onError);
  return { runOnce, stop: () => clearInterval(timer) };
}
