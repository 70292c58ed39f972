/**
 * What the SDKs call the runtime of a configuration. The 2026 SDK's list has no word for scripts; `flight` is its word for
 * what Python serves. The 2023 SDK takes any word.
 */
export function runtimeWord(runtime: string): string {
  return runtime === 'python' ? 'flight' : runtime;
}
