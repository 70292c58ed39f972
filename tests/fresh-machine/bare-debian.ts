import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = ['ca-certificates', 'nodejs', 'npm', 'python3-venv'];

/** Why a bare Debian cannot be made or entered here, or undefined when it can. */
export function whyNoBareDebian(): string | undefined {
  if (process.getuid?.() !== 0) return 'debootstrap needs root';
  for (const command of ['debootstrap', 'bwrap', 'chroot', 'git']) {
    if (!succeeds('sh', ['-c', `command -v ${command}`])) return `${command} is not installed`;
  }
  const probe = ['--ro-bind', '/', '/', '--unshare-user', '--unshare-pid', '--uid', '1000', 'true'];
  return succeeds('bwrap', probe) ? undefined : 'this machine refuses user namespaces';
}

/**
 * A folder with Debian 12, its own nodejs, npm and python3-venv, a user with the id 1000 and nothing else. Made once a
 * month and kept in `cache`; a run that is interrupted leaves nothing that looks whole.
 */
export function prepareBareDebian(cache: string): string {
  const folder = join(cache, `debian-12-${new Date().toISOString().slice(0, 7)}`);
  if (existsSync(folder)) return withLocalhost(folder);
  mkdirSync(cache, { recursive: true });
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const run = (command: string, args: readonly string[]): void => {
    const log = join(cache, 'debian.log');
    try {
      execFileSync('sh', ['-c', '"$0" "$@" >>"$LOG" 2>&1', command, ...args], {
        env: { ...process.env, LOG: log, DEBIAN_FRONTEND: 'noninteractive' },
      });
    } catch {
      throw new Error(`${command} failed:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
    }
  };
  run('debootstrap', ['--variant=minbase', `--include=${packages[0]}`, 'bookworm', fresh, mirror()]);
  // By apt: debootstrap cannot order packages that provide one another, as those of npm do.
  run('chroot', [fresh, 'apt-get', 'update']);
  run('chroot', [fresh, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages]);
  run('chroot', [fresh, 'useradd', '--create-home', '--uid', '1000', '--shell', '/bin/bash', 'somebody']);
  renameSync(fresh, folder);
  return withLocalhost(folder);
}

/** An installer writes this file, debootstrap does not. */
function withLocalhost(folder: string): string {
  writeFileSync(join(folder, 'etc', 'hosts'), '127.0.0.1 localhost\n');
  return folder;
}

/** The package mirror that this machine itself uses. */
function mirror(): string {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  for (const file of files) {
    if (!existsSync(file)) continue;
    const [, url] =
      /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?:\/\/\S*debian\/?\S*)/m.exec(readFileSync(file, 'utf8')) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('No Debian mirror is configured in /etc/apt on this machine.');
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
