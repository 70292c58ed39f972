import type { ErrorWord } from '@pademelon/contracts';

/**
 * What `error` holds in an error body: the stable word, but for the newer SDK the sentence. Where that SDK reads errors
 * by hand (uploads, look-ups by id) it shows `error` to the user and never looks at `msg`.
 */
export function errorText(failure: { word: ErrorWord; message: string }, userAgent: string | undefined): string {
  const isNewerSdk = /^WallarooSDK\/(?!2023)/.test(userAgent ?? '');
  return isNewerSdk ? failure.message : failure.word;
}
