import { until } from '../../tests/acceptance/support/until.ts';
import { featureCount } from '../bench-model.ts';
import { pipelineForm } from '../request-form.ts';

/** Resolves when the server has answered a row with 200 for the first time. */
export async function firstAnswer(
  url: string,
  headers: Readonly<Record<string, string>>,
  form = pipelineForm,
): Promise<void> {
  const values = [Array.from({ length: featureCount }, () => 1)];
  const body = Buffer.from(JSON.stringify(values.map((tensor) => ({ tensor }))));
  const request = form.request({
    name: 'first',
    rows: 1,
    format: 'json',
    values,
    body,
    expected: new Float32Array(1),
  })!;
  let last = 'nothing';
  await until(
    async () => {
      try {
        const answer = await fetch(url, {
          method: 'POST',
          body: new Uint8Array(request.body),
          headers: { ...request.headers, ...headers },
        });
        last = `${answer.status} ${(await answer.text()).slice(0, 300)}`;
        return answer.status === 200;
      } catch (error) {
        last = String(error);
        return false;
      }
    },
    { withinMs: 60_000, everyMs: 10, what: () => `an answer of ${url}; last it gave ${last}` },
  );
}
