import { describe, expect, test } from 'vitest';
import { frameworks, requireFittingName, requireSupportedConversion } from './conversion.ts';

describe('a framework', () => {
  test.each(frameworks)('%s is served or refused by its name', (framework) => {
    const convert = () => requireSupportedConversion({ framework });
    if (framework === 'onnx' || framework === 'python') expect(convert()).toMatchObject({ framework });
    else expect(convert).toThrow(`"${framework}" are not supported`);
  });

  test('keeps its requirements, and refuses accelerators by their names', () => {
    expect(requireSupportedConversion({ framework: 'python', requirements: ['scipy'] }).requirements).toEqual([
      'scipy',
    ]);
    expect(() => requireSupportedConversion({ framework: 'python', accel: 'cuda' })).toThrow('"cuda"');
  });
});

test.each([
  ['model.onnx', 'onnx', null],
  ['step.py', 'python', null],
  ['STEP.ZIP', 'python', null],
  ['step.py', 'onnx', /a Python step ends in \.py or \.zip and has the framework "python"/],
  ['step.zip', 'onnx', /"custom" are not supported/],
  ['model.onnx', 'python', /does not end in \.py or \.zip/],
  ['step', 'python', /does not end in \.py or \.zip/],
] as const)('a file called %s as %s', (fileName, framework, refusal) => {
  const require = () => requireFittingName(fileName, framework);
  if (refusal === null) expect(require).not.toThrow();
  else expect(require).toThrow(refusal);
});
