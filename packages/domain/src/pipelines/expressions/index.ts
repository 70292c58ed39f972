export * from './instrument-tree.ts';
export * from './parse-check.ts';
export * from './parse-polars-expression.ts';
export * from './polars-expression.ts';
export * from './polars-functions.ts';
export * from './polars-literals.ts';
