import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readDockerfile } from './support/dockerfile.ts';
import { findCompose, repository } from './support/tools.ts';

const compose = findCompose();
const file = readFileSync(join(repository, 'docker-compose.yml'), 'utf8');

it.runIf(compose === undefined && process.env['CI'])('has Docker Compose', () =>
  expect.fail('neither "docker compose" nor docker-compose is installed'),
);

describe.skipIf(compose === undefined)('docker compose config', () => {
  const check = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'pademelon-compose-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(join(repository, 'docker'), join(folder, 'docker'), { recursive: true });
    writeFileSync(join(folder, 'docker-compose.yml'), text);
    const [program, ...args] = compose!;
    const { PATH, HOME } = process.env;
    return spawnSync(program, [...args, 'config'], { cwd: folder, encoding: 'utf8', env: { PATH, HOME } });
  };

  it('accepts the file, with a default for every variable', () => {
    const { status, stderr, stdout } = check(file);
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/variable is not set/i);
    for (const service of ['postgres', 'redis', 'setup', 'api', 'gateway', 'inference', 'worker']) {
      expect(stdout).toMatch(new RegExp(`^  ${service}:$`, 'm'));
    }
  });

  it('would refuse a mistake in it', () => {
    expect(check(file.replace('healthcheck:', 'healthchek:')).status).not.toBe(0);
  });
});

it('gives no service that is scaled a fixed name or port', () => {
  for (const service of ['inference', 'worker']) {
    const [block = ''] = new RegExp(`^  ${service}:\\n(?: {4}.*\\n|\\n)+`, 'm').exec(file) ?? [];
    expect(block).toContain('image:');
    expect(block).not.toMatch(/container_name|ports:/);
  }
});

it('names files and build targets that there are', () => {
  const dockerfile = readDockerfile(readFileSync(join(repository, 'docker/Dockerfile'), 'utf8'));
  const targets = [...file.matchAll(/target: (\w+)/g)].map(([, target]) => target);
  expect(targets).toEqual(['setup', 'api', 'gateway', 'inference', 'worker']);
  expect(dockerfile.map(({ name }) => name)).toEqual(expect.arrayContaining(targets));
  const [, profile = ''] = /seccomp=(\S+)/.exec(file) ?? [];
  expect(existsSync(resolve(repository, profile))).toBe(true);
});

it('makes secrets once, for the services to read and for nobody else on the machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(repository, 'docker/make-secrets.sh'), join(folder, 'make-secrets.sh'));
  const make = () => spawnSync('sh', [join(folder, 'make-secrets.sh')], { encoding: 'utf8' });
  const read = (name: string): string => readFileSync(join(folder, 'secrets', name), 'utf8');

  expect(make()).toMatchObject({ status: 0, stderr: '' });
  const key = read('secret_key');
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(read('database_url')).toBe(`postgres://pademelon:${read('postgres_password')}@postgres:5432/pademelon`);
  expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'secrets/secret_key')).mode & 0o777).toBe(0o444);

  expect(make()).toMatchObject({ status: 0, stderr: '' });
  expect(read('secret_key')).toBe(key);
});
