import { runNotebook } from './support/notebook.ts';

runNotebook('displays');
runNotebook('tags_and_search');
runNotebook('models');
runNotebook('refusals');
