import { forestModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendants, podCommand, processesOf, proportionalBytes, residentBytes } from '../../scripts/process-tree.ts';
import { type RunningPlatform, startPlatform } from './support/platform.ts';
import { assetPath, hasAssets } from './support/repository.ts';
import { logIn } from './support/rest-client.ts';
import { deployModel, undeploy } from './support/rest-flow.ts';

const megabyte = 1e6;

/** Its own platform: nothing is deployed and nobody has used it. Times are printed; only memory is promised here. */
describe('The footprint', () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    const first = await startPlatform();
    await first.stop();
    platform = await startPlatform({ home: first.home });
    print(`npm start on an installed checkout to ready: ${(platform.startMs / 1000).toFixed(2)} s`);
  });
  afterAll(() => platform?.dispose());

  it('of the stack without PostgreSQL stays below 400 MB with nothing deployed', () => {
    const processes = descendants(platform.pid).filter(({ command }) => !/postgres/.test(command));
    const pids = [platform.pid, ...processes.map(({ pid }) => pid)];
    const sum = (measure: (pid: number) => number): number => pids.map(measure).reduce((one, other) => one + other, 0);
    // Resident sizes count the pages of Node's own program once for every process that runs it.
    const total = sum(proportionalBytes);
    print(
      `the stack without PostgreSQL: ${Math.round(total / megabyte)} MB in ${pids.length} processes, ` +
        `${Math.round(sum(residentBytes) / megabyte)} MB with shared pages counted for each`,
    );
    expect(pids.length).toBeGreaterThanOrEqual(5);
    expect(total).toBeGreaterThan(50 * megabyte);
    expect(total).toBeLessThan(400 * megabyte);
  });

  it('of an idle pod stays below 150 MB', async () => {
    const client = await logIn(platform);
    const model = hasAssets
      ? { modelPath: assetPath('models/rf_model.onnx') }
      : { modelBytes: forestModel({ features: 18, trees: 100, depth: 5 }) };
    const pipeline = await deployModel(client, model);
    print(`deploy to Running: ${Math.round(pipeline.deployMs)} ms`);
    const [pod] = processesOf(platform.pid, podCommand);
    const bytes = residentBytes(pod!.pid);
    print(`an idle pod: ${Math.round(bytes / megabyte)} MB`);
    expect(bytes).toBeGreaterThan(10 * megabyte);
    expect(bytes).toBeLessThan(150 * megabyte);
    await undeploy(client, pipeline);
    expect(processesOf(platform.pid, podCommand)).toEqual([]);
  });
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
