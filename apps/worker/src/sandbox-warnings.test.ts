import { expect, test } from 'vitest';
import { sandboxWarnings } from './sandbox-warnings.ts';

const jail = { level: 'jail', warning: null, bubblewrap: 'bwrap' } as const;
const none = { level: 'process', warning: 'Runs are not sandboxed.', bubblewrap: null } as const;

test('a worker with a jail has nothing to warn of, unless it runs as root', () => {
  expect(sandboxWarnings(jail, 1000)).toEqual([]);
  expect(sandboxWarnings(jail, undefined)).toEqual([]);
  expect(sandboxWarnings(jail, 0)).toEqual([expect.stringMatching(/^The worker runs as root\..*another user\.$/)]);
});

test('a worker without a jail warns of that, whoever runs it', () => {
  for (const userId of [0, 1000]) expect(sandboxWarnings(none, userId)).toEqual(['Runs are not sandboxed.']);
});
