import { runNotebook } from './support/notebook.ts';

// The 2023 SDK knows nothing of dynamic batching.
runNotebook('serving_under_load', { generations: ['2026'] });
