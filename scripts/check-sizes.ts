// Prints how large the source files are, and fails for what is larger than the rules allow.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { listSourceFiles, repository } from './source-files.ts';

export const limits = {
  fileLines: 400,
  testFileLines: 600,
  functionLines: 70,
  positionalParameters: 4,
  medianFileLines: 100,
  ninetiethFileLines: 250,
} as const;

/** The sizes of one file; tests count by file only, since a suite is one long call. */
export interface FileSize {
  readonly file: string;
  readonly lines: number;
  readonly isTest: boolean;
  readonly complaints: readonly string[];
}

/** Measures one file from its text. */
export function measureFile(file: string, text: string): FileSize {
  const isTest = /\.test\.ts$|^tests\//.test(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const limit = isTest ? limits.testFileLines : limits.fileLines;
  const complaints = lines > limit ? [`${file} has ${lines} lines; ${limit} are allowed`] : [];
  if (!isTest) complaints.push(...complainAboutFunctions(file, text));
  return { file, lines, isTest, complaints };
}

function complainAboutFunctions(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const complaints: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = lineOf(node.getStart());
      const lines = lineOf(node.getEnd()) - first + 1;
      if (lines > limits.functionLines) {
        complaints.push(`${file}:${first} has a function of ${lines} lines; ${limits.functionLines} are allowed`);
      }
      const { length } = node.parameters;
      if (length > limits.positionalParameters) {
        complaints.push(`${file}:${first} takes ${length} parameters; ${limits.positionalParameters} are allowed`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return complaints;
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function describe(name: string, sizes: readonly FileSize[]): string {
  const lines = sizes.map((size) => size.lines).sort((a, b) => a - b);
  const total = lines.reduce((sum, value) => sum + value, 0);
  const cells = [lines.length, total, quantile(lines, 0.5), quantile(lines, 0.9), lines.at(-1) ?? 0];
  return name.padEnd(24) + cells.map((cell) => String(cell).padStart(8)).join('');
}

function main(): void {
  const sizes = listSourceFiles().map((file) => measureFile(file, readFileSync(join(repository, file), 'utf8')));
  const groups = Map.groupBy(sizes, (size) =>
    size.file
      .split('/')
      .slice(0, /^(apps|packages)\//.test(size.file) ? 2 : 1)
      .join('/'),
  );
  console.log(
    `${''.padEnd(24)}${['files', 'lines', 'median', 'p90', 'max'].map((title) => title.padStart(8)).join('')}`,
  );
  for (const [name, group] of groups) console.log(describe(name, group));
  const code = sizes.filter((size) => !size.isTest);
  console.log(describe('all but tests', code));
  console.log(
    describe(
      'tests',
      sizes.filter((size) => size.isTest),
    ),
  );

  const lines = code.map((size) => size.lines).sort((a, b) => a - b);
  const complaints = sizes.flatMap((size) => size.complaints);
  if (quantile(lines, 0.5) > limits.medianFileLines)
    complaints.push(`The median file has more than ${limits.medianFileLines} lines`);
  if (quantile(lines, 0.9) > limits.ninetiethFileLines) {
    complaints.push(`One file in ten has more than ${limits.ninetiethFileLines} lines`);
  }
  for (const complaint of complaints) console.log(complaint);
  process.exitCode = complaints.length === 0 && sizes.length > 0 ? 0 : 1;
}

if (import.meta.main) main();
