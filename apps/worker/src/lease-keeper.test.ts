import type { Renewal, StopOrder } from '@pademelon/domain';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LeaseKeeper } from './lease-keeper.ts';
import { monotonicMs } from './workbench/monotonic-clock.ts';

const durationMs = 30_000;
const held: Renewal = { kind: 'held', mustStop: null };

/** A lease as the database keeps it: over when it was not renewed for its duration. */
class Lease {
  untilMs = monotonicMs() + durationMs;
  readonly lostAtMs: number[] = [];
  readonly orders: StopOrder[] = [];
  answer: () => Promise<Renewal> = () => Promise.resolve(held);
  readonly keeper = new LeaseKeeper({
    durationMs,
    renew: async () => {
      if (monotonicMs() >= this.untilMs) return { kind: 'lost' };
      const renewal = await this.answer();
      this.untilMs = monotonicMs() + durationMs;
      return renewal;
    },
    onRenewed: () => undefined,
    onStop: (order) => this.orders.push(order),
    onLost: () => this.lostAtMs.push(monotonicMs() - startMs),
  });

  away(): void {
    this.answer = () => Promise.reject(new Error('The database is away.'));
  }

  silent(): void {
    this.answer = () => new Promise(() => undefined);
  }

  back(): void {
    this.answer = () => Promise.resolve(held);
  }
}

let lease: Lease;
let startMs: number;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
  startMs = monotonicMs();
  lease = new Lease();
  lease.keeper.start(startMs);
});
afterEach(() => {
  lease.keeper.stop();
  vi.useRealTimers();
});

test('a lease lasts for as long as it is renewed', async () => {
  await vi.advanceTimersByTimeAsync(10 * durationMs);
  expect(lease.lostAtMs).toEqual([]);
  expect(lease.keeper.isTrusted).toBe(true);
});

test.each(['killed', 'owner_inactive'] as const)(
  'the order to end as %s is passed on at the next renewal',
  async (order) => {
    lease.answer = () => Promise.resolve({ kind: 'held', mustStop: order });
    expect(lease.orders).toEqual([]);
    await vi.advanceTimersByTimeAsync(durationMs / 3);
    expect(lease.orders).toEqual([order]);
    expect(lease.keeper.isTrusted).toBe(true);
  },
);

test.each(['away', 'silent'] as const)('a database that is %s for half of the lease costs nothing', async (how) => {
  // Just before a renewal, so that two of those that are due in that time fail.
  await vi.advanceTimersByTimeAsync(durationMs - 1);
  lease[how]();
  await vi.advanceTimersByTimeAsync(durationMs / 2);
  lease.back();
  await vi.advanceTimersByTimeAsync(10 * durationMs);
  expect(lease.lostAtMs).toEqual([]);
  expect(lease.keeper.isTrusted).toBe(true);
});

test.each(['away', 'silent'] as const)(
  'a lease is lost with a database that stays %s, and nobody asks on',
  async (how) => {
    await vi.advanceTimersByTimeAsync(durationMs);
    lease[how]();
    await vi.advanceTimersByTimeAsync(10 * durationMs);
    expect(lease.lostAtMs).toHaveLength(1);
    expect(lease.lostAtMs[0]).toBeGreaterThanOrEqual(2 * durationMs);
    expect(lease.lostAtMs[0]).toBeLessThan(2.5 * durationMs);
    expect(vi.getTimerCount()).toBe(0);
  },
);
