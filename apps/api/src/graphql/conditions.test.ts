import { expect, test } from 'vitest';
import { Conditions } from './conditions.ts';

test('conditions are found under their path, in lists and single objects of _and alike', () => {
  const conditions = new Conditions({
    pipeline: { deployment: { deployed: { _eq: false } } },
    _and: [{ owner_id: { _eq: 'ada' } }, { _and: [{ pipeline: { _and: [{ workspace: { id: { _eq: 7 } } }] } }] }],
  });
  expect(conditions.isContradictory).toBe(false);
  expect(conditions.equal('pipeline.deployment.deployed')).toBe(false);
  expect(conditions.equal('owner_id')).toBe('ada');
  expect(conditions.equal('pipeline.workspace.id')).toBe(7);
  expect(conditions.equal('workspace.id')).toBeUndefined();
});

test('of two bounds the narrower counts', () => {
  const [early, late] = [new Date('2026-01-01'), new Date('2026-06-01')];
  const conditions = new Conditions({
    _and: [{ created_at: { _gte: early, _lte: late } }, { created_at: { _gte: late, _lte: early } }],
  });
  expect([conditions.from('created_at'), conditions.to('created_at')]).toEqual([late, early]);
});

test('two values for one field, or null, match nothing', () => {
  expect(new Conditions({ _and: [{ id: { _eq: 1 } }, { id: { _eq: 2 } }] }).isContradictory).toBe(true);
  expect(new Conditions({ id: { _eq: null } }).isContradictory).toBe(true);
  expect(new Conditions({ _and: [{ id: { _eq: 1 } }, { id: { _eq: 1 } }] }).isContradictory).toBe(false);
  expect(new Conditions(null).isContradictory).toBe(false);
});
