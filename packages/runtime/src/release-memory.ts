/** Below it the call costs more than what the garbage collector would do. */
const leastBytes = 8 * 1024;

/**
 * Gives the memory of bytes or values that nobody will look at again back at once. Left to the garbage collector,
 * megabytes of them a second would set off a collection of everything several times a second, which cost as much as a
 * third of all the work; and memory that is used again at once has its pages already. A view of a part of something
 * larger is left alone, and so is what is small.
 */
export function releaseMemory(view: ArrayBufferView): void {
  const { buffer, byteLength } = view;
  if (byteLength < leastBytes || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
