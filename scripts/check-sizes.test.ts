import { expect, it } from 'vitest';
import { limits, measureFile, quantile } from './check-sizes.ts';

const linesOf = (count: number): string => '// a line\n'.repeat(count);
const functionOf = (lines: number): string => `export function f() {\n${'  go();\n'.repeat(lines - 2)}}\n`;

it('counts lines, whether or not the last one ends', () => {
  expect(measureFile('a.ts', 'a;\nb;\n').lines).toBe(2);
  expect(measureFile('a.ts', 'a;\nb;').lines).toBe(2);
});

it('refuses a file that is one line too long, and allows tests more', () => {
  expect(measureFile('a.ts', linesOf(limits.fileLines)).complaints).toEqual([]);
  expect(measureFile('a.ts', linesOf(limits.fileLines + 1)).complaints).toHaveLength(1);
  expect(measureFile('a.test.ts', linesOf(limits.testFileLines)).complaints).toEqual([]);
  expect(measureFile('a.test.ts', linesOf(limits.testFileLines + 1)).complaints).toHaveLength(1);
});

it('refuses a function that is one line too long, wherever it stands', () => {
  expect(measureFile('a.ts', functionOf(limits.functionLines)).complaints).toEqual([]);
  expect(measureFile('a.ts', functionOf(limits.functionLines + 1)).complaints).toEqual([
    `a.ts:1 has a function of ${limits.functionLines + 1} lines; ${limits.functionLines} are allowed`,
  ]);
  const method = `class A {\n${functionOf(80).replace('export function ', '')}}\n`;
  expect(measureFile('a.ts', method).complaints).toHaveLength(1);
});

it('refuses a fifth parameter', () => {
  expect(measureFile('a.ts', 'const f = (a, b, c, d) => a;\n').complaints).toEqual([]);
  expect(measureFile('a.ts', 'const f = (a, b, c, d, e) => a;\n').complaints).toEqual([
    'a.ts:1 takes 5 parameters; 4 are allowed',
  ]);
});

it('finds quantiles of few and of no values', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
  expect(quantile([7], 0.9)).toBe(7);
  expect(quantile([], 0.5)).toBe(0);
});
