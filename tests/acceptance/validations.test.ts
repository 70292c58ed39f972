import { runNotebook } from './support/notebook.ts';

runNotebook('validations');
