import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/**
 * Writes a column of prices again and again, as a pod does, and tells each time that V8 gives code up which it has
 * compiled. An index of -0 made that happen a thousand times, and cost a fifth of the CPU.
 */
const program = `
  const { ByteWriter } = await import('./byte-writer.ts');
  const writer = new ByteWriter();
  let seed = 42;
  const random = () => (seed = (seed * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
  const prices = Float32Array.from({ length: 1000 }, () => 100000 * 12 ** random());
  for (let round = 0; round < 600; round += 1) {
    writer.begin();
    for (let index = 0; index < prices.length; index += 1) writer.float32(prices[index]);
    // Compiling goes on meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
`;

test('what V8 has compiled for numbers stays compiled', () => {
  const args = ['--conditions=source', '--trace-deopt', '--input-type=module', '--eval', program];
  const told = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const given = [...told.matchAll(/bailout \(kind: deopt-\w+, reason: ([^)]*)\)[^<]*<JSFunction (\w+)/g)];
  const byFunction = Map.groupBy(given, ([, , name]) => name);
  for (const [name, times] of byFunction) expect(times.length, `${name}: ${times[0]?.[1]}`).toBeLessThan(4);
});
