// What a process that watches others needs: an entry of its own, since there is such a process for every run.
export * from './output-pipes.ts';
export * from './process-tree.ts';
export * from './task-ceiling.ts';
