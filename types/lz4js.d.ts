declare module 'lz4js' {
  /** Compresses to one LZ4 frame. */
  export function compress(source: Uint8Array): Uint8Array;
}
