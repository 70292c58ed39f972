import type { AutoscalePolicy } from '@pademelon/contracts';
import { expect, test } from 'vitest';
import { decideReplicas, type LoadSample } from './decide-replicas.ts';

const queue: AutoscalePolicy = {
  minimum: 1,
  maximum: 8,
  trigger: 'queue',
  upLoad: 5,
  downLoad: 1,
  windowMs: 20_000,
};
const cpu: AutoscalePolicy = { ...queue, trigger: 'cpu', upLoad: 0.5, downLoad: 0.4 };
const nowMs = 1_000_000;

/** A sample every two seconds, the last one now. */
function history(...loads: number[]): LoadSample[] {
  return loads.map((load, i) => ({ atMs: nowMs - (loads.length - 1 - i) * 2_000, load }));
}

const steady = (load: number, samples = 11) => history(...Array<number>(samples).fill(load));

test.each<[string, AutoscalePolicy, number, LoadSample[], number]>([
  ['nothing measured yet', queue, 2, [], 2],
  ['one sample', queue, 1, history(100), 1],
  ['less than six seconds of much', queue, 1, history(100, 100, 100), 1],
  ['six seconds of much: twice as many', queue, 1, history(100, 100, 100, 100), 2],
  ['as many as the load needs, when that is less than twice', queue, 4, steady(26), 6],
  ['never more than the maximum', queue, 6, steady(1_000), 8],
  ['a lone peak in a calm time', queue, 1, history(0, 0, 15, 0), 1],
  ['at the limit', queue, 2, steady(10), 2],
  ['a little above it', queue, 2, steady(10.9), 2],
  ['between the limits', queue, 4, steady(10), 4],
  ['a whole window of little', queue, 4, steady(0), 1],
  ['less than a window of little', queue, 4, steady(0, 10), 4],
  ['little now, much at the begin of the window', queue, 4, history(30, ...Array<number>(10).fill(0)), 4],
  ['little, with a peak that three carry', queue, 4, history(0, 0, 14, ...Array<number>(8).fill(0)), 3],
  ['never fewer than the minimum', { ...queue, minimum: 2 }, 4, steady(0), 2],
  ['below a minimum that was raised', { ...queue, minimum: 3 }, 1, [], 3],
  ['above a maximum that was lowered', { ...queue, maximum: 2 }, 5, steady(20), 2],
  ['a low limit of 0 keeps all', { ...queue, downLoad: 0 }, 4, steady(0), 4],
  ['one busy core', cpu, 1, steady(1), 2],
  ['two busy cores', cpu, 2, steady(2), 4],
  ['two half-busy cores', cpu, 2, steady(1), 2],
  ['two cores at four tenths', cpu, 2, steady(0.8), 2],
  ['two nearly idle cores', cpu, 2, steady(0.3), 1],
  ['a window shorter than six seconds', { ...queue, windowMs: 2_000 }, 1, history(100, 100), 2],
])('%s', (_name, policy, replicas, samples, expected) => {
  expect(decideReplicas(policy, replicas, samples, nowMs)).toBe(expected);
});

test('whatever the steady load, the number settles and stays', () => {
  for (const policy of [queue, cpu]) {
    for (let load = 0; load <= 60; load += 0.25) {
      for (let start = 1; start <= 8; start++) {
        let replicas = start;
        for (let round = 0; round < 8; round++) replicas = decideReplicas(policy, replicas, steady(load), nowMs);
        expect(decideReplicas(policy, replicas, steady(load), nowMs), `load ${load} from ${start}`).toBe(replicas);
      }
    }
  }
});
