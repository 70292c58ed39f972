// ONNX models for tests, apart from the package's main entry: unit tests need no database client.
export * from './onnx-fixtures.ts';
export * from './onnx-forest.ts';
export * from './onnx-writer.ts';
