import { expect, test } from 'vitest';
import { describeFailure } from './error-handler.ts';

/** As Prisma passes on what the database said when it has no code of its own for it. */
const fromDriver = (originalCode: string) => ({
  code: 'P2039',
  meta: { driverAdapterError: { cause: { originalCode } } },
});

test.each([
  ['a socket that is not there', { code: 'ENOENT' }],
  ['a connection that broke while it was written to', { code: 'EPIPE' }],
  ['a server that shuts down', { code: '57P01' }],
  ['a server that starts, by way of Prisma', fromDriver('57P03')],
  ['a cause further down', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }],
])('%s is a database that is away', (_what, properties) => {
  expect(describeFailure(Object.assign(new Error('failed'), properties)).word).toBe('unavailable');
});

test.each([
  ['a broken rule', { code: '23505' }],
  ['a broken rule, by way of Prisma', fromDriver('23505')],
  ['a fault of ours', {}],
])('%s is not', (_what, properties) => {
  expect(describeFailure(Object.assign(new Error('failed'), properties)).word).toBe('internal');
});
