import { DeadlineWatch } from '@pademelon/http1';
import { afterAll, expect, test } from 'vitest';
import { errorAnswer } from './error-answer.ts';
import { routeRow, testLimits } from './gateway-test-bench.ts';
import { RouteTable, routePath } from './route-table.ts';

const watch = new DeadlineWatch();
const routes = new RouteTable({ watch, limits: testLimits, podKey: (podId) => podId });

afterAll(() => {
  routes.replace([]);
  watch.stop();
});

/** The answer to an inference that no pod can take, after the table has followed these rows. */
function refusal(...rows: Parameters<typeof routeRow>[0][]): string {
  for (const row of rows) routes.replace([routeRow(row)]);
  const [word, message] = routes.find(routePath(routeRow()))!.explainAbsence();
  const answer = errorAnswer({ word, message, requestId: 'r', userAgent: undefined, form: 'inference', closes: false });
  return answer.toString();
}

const pod = { id: 'pod', revision: 1, address: '127.0.0.1', port: 9 };
const failures = ['Model "x" cannot be loaded.'];

test.each([
  ['nothing has failed', [{}]],
  ['it was deployed again after it failed', [{ failures }, { revision: 2 }]],
  ['an older version serves and the newer one failed', [{ revision: 2, failures, pods: [pod] }]],
])('who comes while %s is asked to come again', (_, rows) => {
  expect(refusal(...rows)).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 1\r\n/);
});

test.each([
  ['before any pod was ready', [{ failures }]],
  ['after one was', [{ pods: [pod] }, { failures }]],
])('a deployment that failed %s says why with a status that no SDK repeats', (_, rows) => {
  const answer = refusal(...rows);
  expect(answer).toMatch(/^HTTP\/1\.1 500 /);
  expect(answer).not.toMatch(/retry-after/i);
  expect(JSON.parse(answer.split('\r\n\r\n')[1]!).msg).toMatch(
    /deployment .* failed; .* Model "x" cannot be loaded\.$/,
  );
});
