/** As much as one read of a socket brings. */
const chunkBytes = 64 * 1024;
const maxKept = 64;
const kept: Buffer[] = [];

/** Memory that a socket's bytes are read into, again and again. */
export function takeChunk(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
}

/** Gives it back, when nobody looks at it any more. */
export function giveBackChunk(chunk: Buffer): void {
  if (kept.length < maxKept) kept.push(chunk);
}
