import { expect, test } from 'vitest';
import { runtimeWord } from './runtime-word.ts';

test('a script runs under the word that both SDK generations can read, an ONNX model under its own', () => {
  expect(['python', 'onnx'].map(runtimeWord)).toEqual(['flight', 'onnx']);
});
