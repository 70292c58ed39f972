export * from './archive-entry.ts';
export * from './archive-limits.ts';
export * from './open-archive.ts';
export * from './orchestration-inspector.ts';
export * from './orchestration-layout.ts';
export * from './python-script.ts';
export * from './requirements.ts';
export * from './script-inspector.ts';
