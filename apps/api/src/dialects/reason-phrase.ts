/**
 * The reason phrase of an error's status line on routes where the 2023 SDK shows its user nothing else (uploads of
 * forms: "422 Client Error: <reason phrase> for url: …"); null for other callers, who get the usual phrase.
 */
export function reasonPhrase(message: string, userAgent: string | undefined): string | null {
  if (!/^WallarooSDK\/2023/.test(userAgent ?? '')) return null;
  // A status line is one line of printable ASCII.
  return message.replace(/[^\x20-\x7e]+/g, '?').slice(0, 500);
}
