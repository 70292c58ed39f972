import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxModelInspector } from '@pademelon/onnx-model';
import { externalDataModel, sumModel } from '@pademelon/testing/onnx';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { InspectedModelFiles } from './inspected-model-files.ts';

let folder: string;
const files = { provide: async (sha: string) => join(folder, sha) };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-'));
  await writeFile(join(folder, 'good'), sumModel());
  await writeFile(join(folder, 'hostile'), externalDataModel('/etc/passwd'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a hostile file that got past the API is refused before a pod sees it', async () => {
  const models = new InspectedModelFiles(files, onnxModelInspector);
  const refusal = { word: 'model_rejected', message: expect.stringContaining('external data') };
  await expect(models.provide('hostile')).rejects.toMatchObject(refusal);
  await expect(models.provide('hostile')).rejects.toMatchObject(refusal);
});

test('a good file is looked at once', async () => {
  const inspect = vi.fn(onnxModelInspector.inspect);
  const models = new InspectedModelFiles(files, { inspect });
  expect(await models.provide('good')).toBe(join(folder, 'good'));
  expect(await models.provide('good')).toBe(join(folder, 'good'));
  expect(inspect).toHaveBeenCalledTimes(1);
});
