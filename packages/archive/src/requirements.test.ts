import { expect, test } from 'vitest';
import { readRequirements } from './requirements.ts';

test('names with versions, extras, markers, hashes and comments are read', () => {
  const { requirements } = readRequirements(
    [
      '# the tutorial',
      'google-cloud-bigquery==3.10.0',
      'google_auth == 2.17.3  # pinned',
      'db-dtypes>=1.1,<2',
      'requests[socks]~=2.31 ; python_version >= "3.8"',
      `six==1.16.0 \\`,
      `  --hash=sha256:${'a'.repeat(64)}`,
      '',
      'Pandas',
    ].join('\r\n'),
  );
  expect(requirements.map(({ name }) => name)).toEqual([
    'google-cloud-bigquery',
    'google-auth',
    'db-dtypes',
    'requests',
    'six',
    'pandas',
  ]);
});

test('our own SDK is left out with a note', () => {
  const { requirements, notes } = readRequirements('Wallaroo==2023.1.0\nsix');
  expect(requirements.map(({ name }) => name)).toEqual(['six']);
  expect(notes).toEqual(['"Wallaroo==2023.1.0" is left out: the platform supplies wallaroo.']);
});

test.each([
  '--index-url http://evil',
  '--extra-index-url=http://evil',
  '-e .',
  '-r /etc/passwd',
  'file:///tmp/x.whl',
  'git+ssh://git@host/x',
  'six @ https://evil/six.whl',
  './local',
  '/abs/x.whl',
  'six==1.0; extra == "x" --global-option=x/y',
  'six $(touch /tmp/x)',
  '\u0000',
])('%s is refused with the line', (line) => {
  expect(() => readRequirements(`six\n${line}`)).toThrow(/^requirements\.txt is refused/);
});

test('500 lines are read, more are refused', () => {
  const lines = (count: number): string => Array.from({ length: count }, (_, index) => `package-${index}`).join('\n');
  expect(readRequirements(lines(500)).requirements).toHaveLength(500);
  expect(() => readRequirements(lines(501))).toThrow(/^requirements\.txt is refused: more than 500 lines/);
});
