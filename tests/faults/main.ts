// `npm run faults`: the faults of inference in full. Arguments choose files by name: `npm run faults -- swaps`.
// `--short` takes the numbers that `npm test` takes.
import { join } from 'node:path';
import { startVitest } from 'vitest/node';

const words = process.argv.slice(3);
const filters = words.filter((word) => !word.startsWith('-'));
process.env['PADEMELON_FAULTS'] = words.includes('--short') ? 'short' : 'long';

const vitest = await startVitest('test', filters, {
  config: join(import.meta.dirname, 'vitest.config.ts'),
  root: import.meta.dirname,
  watch: false,
});
await vitest.close();
