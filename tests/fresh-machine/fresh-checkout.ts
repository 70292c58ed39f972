import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the user's home is inside; the checkout lies in it. */
const home = '/home/somebody';

export interface FreshCheckout {
  /** Runs a command in the checkout as the user; resolves to its status and everything that it wrote. */
  run(command: readonly string[], environment?: Readonly<Record<string, string>>): Promise<FreshRun>;
  remove(): void;
}

export interface FreshRun {
  readonly status: number | null;
  readonly output: string;
}

/**
 * A copy of this checkout's files in the home of a user who is not root, on the bare Debian in `system`. That is entered
 * by bwrap with process numbers of its own; the network is this machine's, and so are the registry, the certificates and
 * the proxies that npm is set to here.
 */
export function makeFreshCheckout(system: string, repository: string): FreshCheckout {
  const folder = mkdtempSync(join(tmpdir(), 'fresh-machine-'));
  const checkout = join(folder, 'pademelon');
  mkdirSync(checkout);
  // What is committed, or would be: without .git, node_modules, dist and caches.
  execFileSync(
    'sh',
    [
      '-c',
      'git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null | tar -cf - -T - | tar -xf - -C "$0"',
      checkout,
    ],
    { cwd: repository },
  );
  const npm = npmSettings(folder);
  return {
    run: (command, environment = {}) => enter(system, folder, command, { ...npm, ...environment }),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}

async function enter(
  system: string,
  folder: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<FreshRun> {
  const variables = { HOME: home, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', ...environment };
  const child = spawn(
    'bwrap',
    [
      ...['--unshare-user', '--uid', '1000', '--gid', '1000', '--unshare-pid', '--unshare-ipc', '--die-with-parent'],
      ...['--ro-bind', system, '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/home'],
      ...['--bind', folder, home, '--chdir', `${home}/pademelon`],
      ...(existsSync('/etc/resolv.conf') ? ['--ro-bind', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
      '--clearenv',
      ...Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]),
      '--',
      ...command,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

/** This machine's npm settings for the network, as variables; the user's .npmrc, which may hold tokens, is copied. */
function npmSettings(folder: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(https?_proxy|no_proxy|npm_config_(registry|https?_proxy|noproxy))$/i.test(name) && value)
      settings[name] = value;
  }
  const userFile = join(homedir(), '.npmrc');
  if (existsSync(userFile)) copyFileSync(userFile, join(folder, '.npmrc'));
  const registry = npmSetting('registry');
  if (registry !== undefined) settings['npm_config_registry'] = registry;
  const certificates = npmSetting('cafile') ?? process.env['NODE_EXTRA_CA_CERTS'];
  if (certificates !== undefined && existsSync(certificates)) {
    copyFileSync(certificates, join(folder, 'certificates.crt'));
    for (const name of [
      'npm_config_cafile',
      'NODE_EXTRA_CA_CERTS',
      'SSL_CERT_FILE',
      'PIP_CERT',
      'REQUESTS_CA_BUNDLE',
    ]) {
      settings[name] = `${home}/certificates.crt`;
    }
  }
  return settings;
}

function npmSetting(name: string): string | undefined {
  const value = execFileSync('npm', ['config', 'get', name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  return value === '' || value === 'null' || value === 'undefined' ? undefined : value;
}
