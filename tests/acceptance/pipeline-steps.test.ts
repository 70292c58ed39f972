import { runNotebook } from './support/notebook.ts';

runNotebook('pipeline_steps');
runNotebook('shadow_without_arrow', { generations: ['2023'], env: { ARROW_ENABLED: 'false' } });
