import { runNotebook } from './support/notebook.ts';

runNotebook('house_price', { generations: ['2023'], variant: 'default upload wire' });
runNotebook('house_price', {
  generations: ['2023'],
  variant: 'MODELS_ENABLED upload wire',
  env: { MODELS_ENABLED: 'true' },
});
runNotebook('house_price', { generations: ['2026'] });
