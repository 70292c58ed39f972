import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type BigQueryEmulator, startBigQueryEmulator } from '../../../scripts/bigquery-emulator.ts';
import { bigQueryNotebooks } from '../../../scripts/python-environments.ts';
import { type Generation, runNotebook } from '../support/notebook.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { repositoryFolder } from '../support/repository.ts';

const sdkVersions = { '2023': '2023.2.0', '2026': '2026.1.3' } as const satisfies Record<Generation, string>;

// The SDK of the notebook is that of the tasks, too, as on the platforms that users know.
describe.each(['2023', '2026'] as const)('the BigQuery tutorial of %s', (generation) => {
  let emulator: BigQueryEmulator;
  let platform: RunningPlatform;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pademelon-bigquery-'));
    emulator = await startBigQueryEmulator({ project: 'demo' });
    await writeFile(join(folder, 'service-account.json'), JSON.stringify(emulator.serviceAccount));
    const env = { ...emulator.platformSettings, PADEMELON_SDK_VERSION: sdkVersions[generation] };
    platform = await startPlatform({ env });
  });

  afterAll(async () => {
    await platform?.dispose();
    await emulator?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  // Twice on one server: what the first round leaves must not be in the way of the second.
  for (const [variant, tasksAtOnce] of [
    ['first round', '20'],
    ['second round', '2'],
  ] as const) {
    runNotebook('bigquery', {
      generations: [generation],
      variant,
      environments: bigQueryNotebooks,
      isWithoutAssets: true,
      platform: () => platform,
      env: () => ({
        BIGQUERY_EMULATOR_HOST: emulator.url,
        SERVICE_ACCOUNT: join(folder, 'service-account.json'),
        EXAMPLE: resolve(repositoryFolder, 'examples/house-price'),
        TASKS_AT_ONCE: tasksAtOnce,
        // The Google clients announce the end of life of this Python.
        PYTHONWARNINGS: 'ignore::FutureWarning',
      }),
      onLine: (line) => console.log(`SDK ${generation}, ${variant}: ${line}`),
    });
  }
});
