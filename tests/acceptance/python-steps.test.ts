import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { runNotebook } from './support/notebook.ts';
import { hasAssets } from './support/repository.ts';

runNotebook('python_steps');
runNotebook('python_steps', {
  generations: ['2023'],
  variant: 'by its newer uploads',
  env: { MODELS_ENABLED: 'true' },
});

test('what the scripts printed is in the log of the inference host', async ({ skip }) => {
  if (!hasAssets) skip('the notebooks were skipped');
  const folder = join(inject('platform').home, 'logs');
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  expect(texts.join('\n')).toContain('the post-processing was loaded');
});
