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
  /** What Compose makes of the file, with what an operator has put beside it. */
  const check = (text: string, beside: Readonly<Record<string, string>> = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'pademelon-compose-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(join(repository, 'docker'), join(folder, 'docker'), { recursive: true });
    for (const [name, content] of Object.entries({ 'docker-compose.yml': text, ...beside })) {
      writeFileSync(join(folder, name), content);
    }
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

  /** A service of what Compose says the configuration is. */
  const blockOf = (service: string, stdout: string): string =>
    new RegExp(`^  ${service}:\\n(?: {4}.*\\n)+`, 'm').exec(stdout)?.[0] ?? '';
  /** Who gets a variable with this value, quoted or not. */
  const whoGets = (name: string, value: string, stdout: string): string[] => {
    const line = new RegExp(`^ {6}${name}: ["']?${value.replace(/[.*+?|()[\]\\]/g, '\\$&')}["']?$`, 'm');
    return ['setup', 'api', 'gateway', 'inference', 'worker'].filter((service) => line.test(blockOf(service, stdout)));
  };

  it('hands what .env says to the services that need it, and to no other', () => {
    const keys = `b:${'bb'.repeat(32)},a:${'aa'.repeat(32)}`;
    const settings: [string, string, string[]][] = [
      ['PADEMELON_SEALING_KEYS', keys, ['api', 'worker']],
      ['PADEMELON_OLD_SECRET_KEY', '0a'.repeat(32), ['api', 'worker']],
      ['PADEMELON_CONNECT_ALLOW', '10.0.0.7:5432', ['api']],
      ['PADEMELON_BUILD_ALLOW', '10.0.0.8:443,files.internal:8443', ['inference', 'worker']],
      ['PADEMELON_RUN_ALLOW', '10.0.0.9:9200', ['worker']],
    ];
    const { status, stderr, stdout } = check(file, {
      '.env': settings.map(([name, value]) => `${name}=${value}\n`).join(''),
    });
    expect(status, stderr).toBe(0);
    for (const [name, value, services] of settings)
      expect([name, whoGets(name, value, stdout)]).toEqual([name, services]);
  });

  it('takes everything else from docker-compose.override.yml, as in the example', () => {
    const example = readFileSync(join(repository, 'docker/docker-compose.override.example.yml'), 'utf8');
    const { status, stderr, stdout } = check(file, { 'docker-compose.override.yml': example });
    expect(status, stderr).toBe(0);
    const both = ['inference', 'worker'];
    expect(whoGets('UV_DEFAULT_INDEX', 'https://packages.example.org/simple', stdout)).toEqual(both);
    expect(whoGets('SSL_CERT_FILE', '/etc/pademelon/certificates.pem', stdout)).toEqual(both);
    expect(whoGets('PADEMELON_RUN_ENV_REGION', 'eu-west-1', stdout)).toEqual(['worker']);
    // Added to what is there, and not instead of it.
    expect(whoGets('REDIS_URL', 'redis://redis:6379', stdout)).toEqual(['api', 'worker']);
    for (const service of both) {
      for (const path of ['/etc/pip.conf', '/etc/pademelon/certificates.pem', '/var/lib/pademelon', 'seccomp-worker']) {
        expect(blockOf(service, stdout)).toContain(path);
      }
    }
  });

  it('gives every process of ours longer to stop than it takes itself', () => {
    const { stdout } = check(file);
    for (const service of ['setup', 'api', 'gateway', 'worker']) {
      expect(blockOf(service, stdout), service).toMatch(/^ {4}stop_grace_period: 30s$/m);
    }
    expect(blockOf('inference', stdout)).toMatch(/^ {4}stop_grace_period: (90s|1m30s)$/m);
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

it('keeps what an operator has put beside it out of git and out of the images', () => {
  for (const name of ['.gitignore', '.dockerignore']) {
    const lines = readFileSync(join(repository, name), 'utf8').split('\n');
    expect(lines).toEqual(expect.arrayContaining(['.env', 'docker-compose.override.yml']));
  }
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
