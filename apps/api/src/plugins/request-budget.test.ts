import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auth } from './auth.ts';
import { errorHandler } from './error-handler.ts';
import { RequestBudget } from './request-budget.ts';

let app: FastifyInstance;
let nowMs: number;

beforeEach(async () => {
  nowMs = 0;
  app = fastify();
  await app.register(errorHandler);
  await app.register(auth, {
    authenticator: {
      authenticate: async (user) => ({ userId: user ?? '', email: 'x@example.org', isAdmin: false }),
    },
    budget: new RequestBudget(60, () => nowMs),
  });
  app.get('/things', async () => ({}));
  app.get('/status', { config: { isUnmetered: true } }, async () => ({}));
});
afterEach(() => app.close());

const ask = (url: string, authorization = 'ada') => app.inject({ url, headers: { authorization } });

async function spend(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, async () => (await ask('/things')).statusCode));
}

test('a user who has used up the minute is told when to come back, and no other user is', async () => {
  expect(new Set(await spend(60))).toEqual(new Set([200]));
  const refused = await ask('/things');
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.json()).toMatchObject({ code: 429, error: 'overloaded', msg: expect.stringContaining('a minute') });
  expect((await ask('/things', 'bob')).statusCode).toBe(200);
});

test('requests come back evenly, and never more than those of a minute', async () => {
  await spend(60);
  nowMs += 5_000;
  expect((await spend(6)).toSorted()).toEqual([200, 200, 200, 200, 200, 429]);
  nowMs += 3_600_000;
  expect((await spend(61)).filter((status) => status === 200)).toHaveLength(60);
});

test('asking for a status costs nothing', async () => {
  await spend(60);
  expect((await ask('/status')).statusCode).toBe(200);
});
