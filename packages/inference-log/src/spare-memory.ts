/** More is let go: it was an unusual batch. */
const maxSpareBytes = 16 * 1024 * 1024;

/**
 * Memory for a whole batch, used again and again: fresh megabytes are pages that the kernel clears first, and pieces
 * handed to the compressor one by one are a turn of a thread each.
 */
export class SpareMemory {
  #spare: Buffer | null = null;

  /** The pieces one after the other; give it back after use. */
  fill(pieces: readonly Uint8Array[]): Buffer {
    const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const spare = this.#spare;
    const memory = spare !== null && spare.length >= length ? spare : Buffer.allocUnsafeSlow(length);
    if (memory === spare) this.#spare = null;
    let at = 0;
    for (const piece of pieces) {
      memory.set(piece, at);
      at += piece.byteLength;
    }
    return memory.subarray(0, length);
  }

  giveBack(filled: Buffer): void {
    const memory = Buffer.from(filled.buffer as ArrayBuffer);
    if (memory.length > (this.#spare?.length ?? 0) && memory.length <= maxSpareBytes) this.#spare = memory;
  }
}
