import type { HandedOutDetails } from '@pademelon/domain';
import { expect, test } from 'vitest';
import { LogShipper } from './log-shipper.ts';
import { RunSecrets } from './run-secrets.ts';

const secret = 'pa55word-of-the-warehouse';
const lease = { runId: 'run', token: 'token', durationMs: 10_000 };

/** A shipper, what it wrote, and what the code was given: `given` is what the database says when it is asked. */
function setup(options: { away?: number } = {}) {
  const given: HandedOutDetails[] = [];
  const asked: string[][] = [];
  const written: string[] = [];
  let { away = 0 } = options;
  const secrets = new RunSecrets({
    linked: [{ name: 'linked', type: 'X', details: { password: 'linked-secret' } }],
    listHandedOut: async (known) => {
      asked.push([...known]);
      if (away-- > 0) throw new Error('The database is away.');
      return given.filter(({ connectionId }) => !known.includes(connectionId));
    },
  });
  const shipper = new LogShipper({
    ...{ lease, secrets, firstLine: 0 },
    store: {
      appendLog: async (_lease, firstLine, lines) => {
        expect(firstLine).toBe(written.length);
        written.push(...lines.map((line) => line.split(' ').slice(1).join(' ')));
        return true;
      },
    },
    onError: (error) => {
      throw error;
    },
  });
  const print = (text: string): void => shipper.output('stdout', 0, Buffer.from(text));
  return { given, asked, written, shipper, print };
}

test('what the code was given after it began is masked in all that it printed since, and said by the platform', async () => {
  const { given, asked, written, shipper, print } = setup();
  print('linked-secret\n');
  // Given after the shipper began to wait with output, and before it writes any.
  given.push({ connectionId: 'one', details: { nested: [{ password: secret }] } });
  print(secret.slice(0, 9));
  print(`${secret.slice(9)}\n`);
  shipper.say(0, `no way to ${secret}`);
  print('the end');
  await shipper.end(0);
  expect(written).toEqual([
    'stdout F *****',
    'stdout F *****',
    'stderr F [pademelon] no way to *****',
    'stdout F the end',
  ]);
  expect(asked).toEqual([[]]);
});

test('what was given once is not asked for again', async () => {
  const { given, asked, shipper, print, written } = setup();
  given.push({ connectionId: 'one', details: { password: secret } });
  print(`${'x'.repeat(70_000)}\n`);
  print(secret);
  await shipper.end(0);
  expect(asked).toEqual([[], ['one']]);
  expect(written.at(-1)).toBe('stdout F *****');
});

test('nothing is written while it is not known what to mask, and all of it once it is', async () => {
  const { given, written, shipper, print } = setup({ away: 2 });
  given.push({ connectionId: 'one', details: { password: secret } });
  print(`before\n${secret}\n`);
  await shipper.end(0);
  expect(written).toEqual(['stdout F before', 'stdout F *****']);
});

test('the rest of the log is withheld once the code has details that do not open here, which is said once', async () => {
  const { given, written, shipper, print } = setup();
  print('x'.repeat(70_000));
  print('\n');
  given.push({ connectionId: 'one', details: null });
  print(`${secret}\n`);
  print(`${'y'.repeat(70_000)}\n`);
  print('z');
  await shipper.end(0);
  expect(written.filter((line) => /pa55word|y|z/.test(line.replace(/\[pademelon\].*/, '')))).toEqual([]);
  expect(written.filter((line) => line.includes('withheld'))).toHaveLength(1);
});

test('what the platform would say after the end is not said', async () => {
  const { written, shipper } = setup();
  await shipper.end(0);
  shipper.say(0, 'late');
  await shipper.end(0);
  expect(written).toEqual([]);
});
