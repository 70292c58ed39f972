import { pipelineForm } from './request-form.ts';
import type { RunningTarget } from './target.ts';
import type { Workload } from './workloads.ts';

/** Sends the workload once to every address and throws unless each answer is what ONNX Runtime says. */
export async function checkAnswers(target: RunningTarget, workload: Workload): Promise<void> {
  const form = target.form ?? pipelineForm;
  const request = form.request(workload);
  if (request === null) return;
  for (const url of target.urls) {
    const headers = { ...request.headers, ...target.headers };
    const response = await fetch(url, { method: 'POST', body: new Uint8Array(request.body), headers });
    const answer = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${answer.subarray(0, 500)}`);
    compare(form.readAnswer(answer, workload), workload.expected, `${workload.name} at ${url}`);
  }
}

function compare(values: readonly number[], expected: Float32Array, where: string): void {
  if (values.length !== expected.length) {
    throw new Error(`${where}: ${values.length} rows instead of ${expected.length}`);
  }
  values.forEach((value, row) => {
    const wanted = expected[row]!;
    if (!(Math.abs(value - wanted) <= 1e-6 * Math.abs(wanted))) {
      throw new Error(`${where}: row ${row} is ${value}, but ONNX Runtime says ${wanted}`);
    }
  });
}
