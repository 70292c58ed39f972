// Bundles one package's entry points into dist/, leaving every package import external.
// Run in the package's folder; the entry points are the arguments. With --shared, entry points have what they share in
// common: a class that two of them export is one class.
import { copyFileSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const isShared = process.argv[2] === '--shared';

await build({
  entryPoints: process.argv.slice(isShared ? 3 : 2),
  splitting: isShared,
  outdir: 'dist',
  outbase: 'src',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  logLevel: 'warning',
});

// Python programs that a bundle starts are looked up beside it.
for (const file of globSync('src/**/*.py')) copyFileSync(file, join('dist', basename(file)));
