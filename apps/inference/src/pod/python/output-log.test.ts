import { expect, test } from 'vitest';
import { OutputLog } from './output-log.ts';

function setup(linesPerWindow = 1_000) {
  const lines: string[] = [];
  const clock = { now: 0 };
  const log = new OutputLog({ write: (line) => lines.push(line), now: () => clock.now, linesPerWindow });
  return { lines, clock, push: (text: string) => log.push(Buffer.from(text)), end: () => log.end() };
}

test('pieces become lines, whatever pieces they are, and the last one needs no end', () => {
  const { lines, push, end } = setup();
  push('he');
  push('llo\r\n\nwor');
  push('ld');
  end();
  expect(lines).toEqual(['hello', '', 'world']);
});

test('a line without end is cut, so that no memory grows', () => {
  const { lines, push } = setup();
  push('x'.repeat(5_000));
  expect(lines).toEqual(['x'.repeat(4_096)]);
});

test('of a flood the beginning is kept and the rest is counted, until the window is over', () => {
  const { lines, clock, push } = setup(2);
  push('1\n2\n3\n4\n');
  expect(lines).toEqual(['1', '2']);
  clock.now = 10_000;
  push('5\n');
  expect(lines).toEqual(['1', '2', '(2 more lines were left out)', '5']);
});
