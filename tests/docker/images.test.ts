import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildZip } from '@pademelon/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../packages/runtime/src/ports.ts';
import { findDefaultIndex } from '../../packages/workbench/src/default-index.ts';
import { logIn, type RestClient } from '../acceptance/support/rest-client.ts';
import { createWorkspace, deployModel } from '../acceptance/support/rest-flow.ts';
import { until } from '../acceptance/support/until.ts';
import { prepareBareDebian } from '../fresh-machine/bare-debian.ts';
import { type Container, startContainer } from './support/container.ts';
import { readDockerfile } from './support/dockerfile.ts';
import { type Image, ImageBuilder } from './support/image.ts';
import { type Neighbours, ownAddress, startNeighbours } from './support/neighbours.ts';
import { repository, whyNoContainers } from './support/tools.ts';

const obstacle = whyNoContainers();
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const targets = ['setup', 'api', 'gateway', 'inference', 'worker'] as const;
type Target = (typeof targets)[number];

it.runIf(obstacle !== undefined && process.env['CI'])('has what it needs', () => expect.fail(obstacle));

describe.skipIf(obstacle !== undefined)(`the images (${obstacle ?? 'built and run without Docker'})`, () => {
  const images = new Map<Target, Image>();
  const seccomp = JSON.parse(read('docker/seccomp-worker.json'));
  let folder: string;
  let builder: ImageBuilder | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pademelon-images-'));
    const context = join(folder, 'context');
    mkdirSync(context);
    copyContext(context);
    const debian = prepareBareDebian(join(repository, '.cache'));
    const stages = readDockerfile(read('docker/Dockerfile'));
    builder = new ImageBuilder({ stages, debian, context, folder: join(folder, 'images') });
    mkdirSync(join(folder, 'images'));
    for (const target of targets) images.set(target, await builder.build(target));
  });

  afterAll(async () => {
    await builder?.dispose();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  const start = (target: Target, environment: Record<string, string>, more = {}): Container => {
    const container = startContainer({ image: images.get(target)!, folder, seccomp, environment, ...more });
    onTestFinished(() => container.stop());
    return container;
  };

  it('run as a user who is not root, on the pinned Node.js', async () => {
    for (const target of targets) {
      const command = ['sh', '-c', 'id -u && node --version'];
      const container = start(target, {}, { command });
      expect(await container.ended, container.output()).toBe(0);
      expect(container.output()).toMatch(/^1000\nv24\./);
    }
  });

  it('let the worker build a jail with our profile, which it cannot with Docker’s own profile or masks', async () => {
    const command = ['bwrap', '--unshare-all', '--disable-userns', '--unshare-user', '--ro-bind', '/', '/'];
    const jail = (more: object): Promise<number> =>
      start('worker', {}, { command: [...command, '--proc', '/proc', 'true'], ...more }).ended;
    expect(await jail({})).toBe(0);
    expect(await jail({ seccomp: { ...seccomp, syscalls: seccomp.syscalls.slice(0, -1) } })).not.toBe(0);
    expect(await jail({ hasMaskedPaths: true })).not.toBe(0);
  });

  describe('together', () => {
    let neighbours: Neighbours;
    beforeAll(async () => {
      neighbours = await startNeighbours();
    });
    afterAll(() => neighbours?.stop());

    it('serve a model and run an orchestration in a jail', async () => {
      const [port, apiPort] = [await findFreePort(), await findFreePort()];
      const url = `http://127.0.0.1:${port}`;
      const secrets = writeSecrets(folder, neighbours.databaseUrl);
      const shared = {
        DATABASE_URL_FILE: '/run/secrets/database_url',
        PADEMELON_SECRET_KEY_FILE: '/run/secrets/secret_key',
        PADEMELON_API_URL: `http://127.0.0.1:${apiPort}`,
        PUBLIC_URL: url,
      };
      const queue = { REDIS_URL: neighbours.redisUrl };
      const launch = (target: Target, environment: Record<string, string>, command?: readonly string[]): Container => {
        const data = makeVolume(folder, target);
        const mounts = [
          [secrets, '/run/secrets', false],
          [data, '/var/lib/pademelon', true],
        ];
        return start(
          target,
          { ...shared, ...environment },
          { mounts, address: ownAddress(), ...(command && { command }) },
        );
      };

      const setup = launch('setup', {});
      expect(await setup.ended, setup.output()).toBe(0);
      expect(setup.output()).toContain('The first user is admin@pademelon.local');
      const again = launch('setup', {});
      expect(await again.ended, again.output()).toBe(0);

      const services: Record<string, Container> = {
        api: launch('api', { ...queue, PADEMELON_API_PORT: `${apiPort}` }),
        gateway: launch('gateway', { HOST: '127.0.0.1', PORT: `${port}` }),
        inference: launch('inference', {}),
        worker: launch('worker', {
          ...queue,
          PADEMELON_SANDBOX: 'required',
          PADEMELON_RUN_URL: url,
          ...(await pythonIndex()),
        }),
      };
      const state = (): string =>
        Object.entries(services)
          .map(([name, each]) => `${name}: ${each.output()}`)
          .join('\n');
      await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok, {
        withinMs: 60_000,
        what: state,
      });
      for (const name of ['inference', 'worker'] as const) {
        const { healthCheck } = images.get(name)!;
        const isHealthy = async () => (await services[name]!.execute(healthCheck)) === 0;
        await until(isHealthy, { withinMs: 30_000, what: () => `the health of ${name}\n${state()}` });
      }
      // The health checks of the others ask the ports of the image, which are taken over here; this is what they ask.
      expect(await (await fetch(`http://127.0.0.1:${apiPort}/healthz`)).json()).toEqual({ status: 'ok' });
      expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });

      const credentials = JSON.parse(readFileSync(join(folder, 'volume-setup/credentials.json'), 'utf8'));
      const client = await logIn({ url, ...credentials });
      const deployed = await deployModel(client, {
        modelPath: join(repository, 'examples/house-price/model/house-price.onnx'),
      });
      const house = [3, 2, 120, 500, 2, 3, 7, 20, 5];
      const [answer] = await client.call(deployed.inferenceUrl.replace(/^https?:\/\/[^/]+/, ''), [{ tensor: house }]);
      expect(answer.out.variable[0]).toBeGreaterThan(50_000);

      const log = await runOrchestration(client, 'import os\nprint("uid", os.getuid(), sorted(os.listdir("/home")))\n');
      expect(log).toContain("uid 1000 ['jovyan']");

      const rotate = ['node', 'apps/local/dist/rotate-keys.js', '--url', `http://127.0.0.1:${apiPort}`];
      expect(read('docs/operations.md')).toContain(`${rotate.slice(0, 3).join(' ')} http://api:8081`);
      const rotation = launch('setup', {}, rotate);
      expect(await rotation.ended, rotation.output()).toBe(0);
      expect(rotation.output()).toContain('Every connection is sealed with it now');
    });
  });
});

/** What git would check out, without what .dockerignore keeps away. */
function copyContext(context: string): void {
  const list =
    'git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null | tar -cf - -T - | tar -xf - -C "$0"';
  execFileSync('sh', ['-c', list, context], { cwd: repository });
  for (const name of read('.dockerignore').split('\n')) {
    if (/^[\w./-]+$/.test(name)) rmSync(join(context, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

function writeSecrets(folder: string, databaseUrl: string): string {
  cpSync(join(repository, 'docker/make-secrets.sh'), join(folder, 'make-secrets.sh'));
  execFileSync('sh', [join(folder, 'make-secrets.sh')]);
  rmSync(join(folder, 'secrets/database_url'));
  writeFileSync(join(folder, 'secrets/database_url'), databaseUrl, { mode: 0o444 });
  // Docker binds each file by itself, so that its folder's mode does not matter inside.
  execFileSync('chmod', ['0755', join(folder, 'secrets')]);
  return join(folder, 'secrets');
}

/** As Docker makes a volume: owned by whom the image gives the folder to. */
function makeVolume(folder: string, target: Target): string {
  const volume = join(folder, `volume-${target}`);
  mkdirSync(volume, { recursive: true, mode: 0o700 });
  const { uid, gid } = statSync(join(folder, 'images', target, 'root/var/lib/pademelon'));
  chownSync(volume, uid, gid);
  return volume;
}

async function pythonIndex(): Promise<Record<string, string>> {
  const index = process.env['PIP_INDEX_URL'] ?? process.env['UV_DEFAULT_INDEX'];
  // Where this machine's resolver leads the default index to a mirror, builds must be let go there.
  const places = await findDefaultIndex('python3');
  return {
    PADEMELON_BUILD_ALLOW: places.map(({ host, port }) => `${host}:${port}`).join(','),
    SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
    ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }),
  };
}

/** Uploads main.py, runs it once and gives the log of the run, which must be a success. */
async function runOrchestration(client: RestClient, main: string): Promise<string> {
  const workspaceId = await createWorkspace(client);
  const form = new FormData();
  const zip = buildZip([{ name: 'main.py', content: main }]);
  form.append('file', new Blob([new Uint8Array(zip)], { type: 'application/octet-stream' }), 'hello.zip');
  const metadata = JSON.stringify({ workspace_id: workspaceId, name: 'hello' });
  form.append('metadata', new Blob([metadata], { type: 'application/json' }));
  const uploaded = await client.send('/v1/api/orchestration/upload', { body: form });
  expect(uploaded.status, uploaded.text).toBe(202);
  const { id } = JSON.parse(uploaded.text);
  const packaged = async () => {
    const { status } = await client.call('/v1/api/orchestration/get_by_id', { id });
    if (status === 'error')
      throw new Error(JSON.stringify(await client.call('/v1/api/orchestration/get_build_log', { id })));
    return status === 'ready';
  };
  await until(packaged, { withinMs: 240_000, everyMs: 500, what: 'packaging' });
  const ids = { orch_id: id, workspace_id: workspaceId };
  const task = await client.call('/v1/api/task/run_once', {
    ...ids,
    json: {},
    name: 'hello',
    timeout: 60,
    debug: false,
  });
  const finished = async () => {
    const [run] = await client.call('/v1/api/task/list_task_runs', { task_id: task.id, limit: null, status: null });
    return run !== undefined && run.status !== 'running' && run;
  };
  const run = await until(finished, { withinMs: 60_000, what: 'the run' });
  const { logs } = await client.call('/v1/api/task/get_logs_for_run', { id: run.run_id, lines: null });
  expect(run.status, logs.join('\n')).toBe('success');
  return logs.join('\n');
}
