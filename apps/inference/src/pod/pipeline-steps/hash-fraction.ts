/**
 * A number from 0 up to 1 that is always the same for the same text and spread evenly over different ones: 32-bit
 * FNV-1a over UTF-16 units, whose bits MurmurHash3's finaliser mixes, since FNV leaves the high ones of short texts alike.
 */
export function hashFraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
