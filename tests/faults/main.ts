// `npm run faults`: the faults of inference in full, and the million bodies on which the JSON scanner and its fallback have
// to agree. Arguments choose files by name: `npm run faults -- swaps`. `--short` takes the numbers that `npm test` takes.
import { join, resolve } from 'node:path';
import { type CliOptions, startVitest } from 'vitest/node';

const words = process.argv.slice(3);
const filters = words.filter((word) => !word.startsWith('-'));
const isLong = !words.includes('--short');
process.env['PADEMELON_FAULTS'] = isLong ? 'long' : 'short';
if (isLong) process.env['PADEMELON_SCANNER_BODIES'] = '1000000';

async function run(chosen: string[], options: CliOptions): Promise<void> {
  const vitest = await startVitest('test', chosen, { ...options, watch: false });
  await vitest.close();
}

const scanner = 'record-scanner.test.ts';
const isScannerChosen = filters.length === 0 || filters.some((filter) => scanner.includes(filter));
if (isScannerChosen) await run([scanner], { root: resolve(import.meta.dirname, '../..'), project: ['unit'] });
await run(filters, {
  ...{ config: join(import.meta.dirname, 'vitest.config.ts'), root: import.meta.dirname },
  // The scanner may have been all that was meant; a filter that fits nothing at all is a mistake.
  passWithNoTests: isScannerChosen,
});
