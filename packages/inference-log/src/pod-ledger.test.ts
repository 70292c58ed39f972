import { expect, test } from 'vitest';
import { type LogCounts, PodLedger } from './pod-ledger.ts';

function setup() {
  const gaps: [number, LogCounts][] = [];
  return { gaps, ledger: new PodLedger((pipelineId, gap) => gaps.push([pipelineId, gap])) };
}

test('what a pod still owes when it ends is lost, also when it never handed over anything', () => {
  const { gaps, ledger } = setup();
  ledger.owe('pod', 7, { records: 3, rows: 30 });
  ledger.close('pod', 7, { records: 0, rows: 0 });
  expect(gaps).toEqual([[7, { records: 3, rows: 30 }]]);
});

test('what it handed over meanwhile is not lost, and counts once', () => {
  const { gaps, ledger } = setup();
  ledger.owe('pod', 7, { records: 2, rows: 2 });
  ledger.owe('pod', 7, { records: 0, rows: 0 });
  ledger.close('pod', 7, { records: 0, rows: 0 });
  expect(gaps).toEqual([]);
});

test('owed records add to those that are missing by the pod’s own count', () => {
  const { gaps, ledger } = setup();
  ledger.owe('pod', 7, { records: 1, rows: 5 });
  ledger.close('pod', 7, { records: 2, rows: 4 });
  expect(gaps).toEqual([
    [7, { records: 2, rows: 4 }],
    [7, { records: 1, rows: 5 }],
  ]);
});
