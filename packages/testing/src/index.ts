export * from './hostile-zips.ts';
export * from './serving-rows.ts';
export * from './test-database.ts';
export * from './test-postgres.ts';
export * from './wait-until.ts';
export * from './zip-builder.ts';
