/** The two generations of the official Python SDK differ in a few shapes; every other caller gets the newer ones. */
export type SdkGeneration = '2023' | '2026';

/**
 * Tells the SDK generation from a request's User-Agent. The 2023 SDK pins its HTTP libraries, so their versions give it
 * away: httpx 0.23 (generated client), requests 2.25 (inference, status) and its own name elsewhere.
 */
export function sdkGeneration(userAgent: string | undefined): SdkGeneration {
  if (userAgent === undefined) return '2026';
  return /^(python-httpx\/0\.23|python-requests\/2\.25|WallarooSDK\/2023)/.test(userAgent) ? '2023' : '2026';
}
