import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';
import { seccompFilter } from './seccomp-filter.ts';

const execute = promisify(execFile);

const isRoot = process.getuid?.() === 0;

/** How user code is kept apart: `jail` is bubblewrap, `process` a plain process group. */
export type SandboxLevel = 'jail' | 'process';

export interface SandboxStatus {
  readonly level: SandboxLevel;
  /** Why there is no jail, or what it leaves open here, in sentences; null when there is nothing to warn of. */
  readonly warning: string | null;
  /** Path of bubblewrap where the level is `jail`. */
  readonly bubblewrap: string | null;
}

export interface JailLimits {
  /** Bytes of the private home, and of /tmp; both live in memory. */
  readonly homeBytes: number;
  readonly temporaryBytes: number;
}

export interface JailPlan {
  readonly bubblewrap: string;
  /** Folders of the host that the jail sees read-only at the same path: interpreter, environment. */
  readonly readOnly: readonly string[];
  /** Mounts at another path: [host path, jail path, writable]. */
  readonly mounts: readonly (readonly [string, string, boolean])[];
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly limits: JailLimits;
  /**
   * Command that changes the jail's network before the jail is made in it, and goes on as the command that follows it;
   * empty where the network stays as it is.
   */
  readonly prepareNetwork: readonly string[];
}

/** File descriptor in the child at which bubblewrap reads the seccomp program. */
export const seccompDescriptor = 3;

/** Finds out, by trying, whether a jail can be built here. User namespaces may be refused although bwrap exists. */
export async function probeSandbox(bubblewrap = 'bwrap'): Promise<SandboxStatus> {
  const args = [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    'true',
  ];
  try {
    await execute(bubblewrap, args, { timeout: 10_000 });
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing
      ? 'bubblewrap is not installed (Debian: apt-get install bubblewrap)'
      : 'the system refuses the namespaces that bubblewrap needs';
    return {
      level: 'process',
      warning: `Runs are not sandboxed: ${why}. User code can read what this process can read.`,
      bubblewrap: null,
    };
  }
  const warning = !isRoot || (await canProtectDevices(bubblewrap)) ? null : openDevices;
  return { level: 'jail', warning, bubblewrap };
}

const openDevices =
  'This process runs as root. Code in its jails cannot become root, but owns /dev/null and the other devices that it sees, and can change who may use them on this machine. Run it as another user.';

async function canProtectDevices(bubblewrap: string): Promise<boolean> {
  try {
    await execute(bubblewrap, [...outerArguments(), '/bin/sh', '-ec', mountDevicesReadOnly], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * The arguments of bubblewrap for a jail. Where its network or its devices must be prepared, a first bubblewrap makes
 * the surroundings, commands have the capabilities to change them, and the jail is made inside: the jail itself never
 * has a capability.
 */
export function jailArguments(plan: JailPlan): string[] {
  const prepare = [...(isRoot ? protectDevices : []), ...plan.prepareNetwork];
  if (prepare.length === 0) return ['--unshare-all', ...innerArguments(plan)];
  return [
    ...outerArguments(),
    ...[...prepare, plan.bubblewrap],
    ...['--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'],
    ...innerArguments(plan),
  ];
}

/**
 * Devices that bubblewrap takes over from the machine. What is root here owns them in a jail, too. On a mount of their
 * own that is read-only they work as ever, but nobody can change whom they belong to; bubblewrap has no such mount.
 * noexec, as the machine's /dev may be: Linux refuses to take that away.
 */
const mountDevicesReadOnly =
  'for each in null zero full random urandom tty; do mount --bind -o ro,nosuid,noexec /dev/$each /dev/$each; done';

/** What cannot be mounted here stays as it is; probeSandbox has warned of it. */
const protectDevices = ['/bin/sh', '-c', `{ ${mountDevicesReadOnly}; } 2>/dev/null; exec "$0" "$@"`];

/** A user namespace around the jail's, with a network and mounts that the commands in it may change. */
function outerArguments(): string[] {
  // CAP_SETFCAP: Linux asks for it where a user namespace hands its user 0 on to another one.
  const capabilities = ['CAP_NET_ADMIN', 'CAP_SETFCAP', ...(isRoot ? ['CAP_SYS_ADMIN'] : [])];
  return [
    ...['--unshare-user', '--unshare-net', '--uid', '0', '--gid', '0', '--die-with-parent', '--cap-drop', 'ALL'],
    ...capabilities.flatMap((name) => ['--cap-add', name]),
    ...['--dev-bind', '/', '/', '--'],
  ];
}

/**
 * The arguments of bubblewrap for one jail: every namespace of its own, no capability, no further user namespaces, a
 * network with nothing but loopback, the system read-only, and nothing of the host's home, data or processes.
 */
function innerArguments(plan: JailPlan): string[] {
  const { limits } = plan;
  return [
    ...['--unshare-user', '--disable-userns', '--die-with-parent', '--new-session'],
    ...['--uid', '1000', '--gid', '1000', '--hostname', 'run', '--cap-drop', 'ALL', '--clearenv'],
    ...systemMounts(),
    // What is root here owns the settings of the kernel, and bubblewrap leaves most of them writable to their owner.
    ...['--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev'],
    ...['--size', String(limits.temporaryBytes), '--tmpfs', '/dev/shm'],
    ...['--size', String(limits.temporaryBytes), '--perms', '1777', '--tmpfs', '/tmp'],
    ...['--size', String(limits.homeBytes), '--tmpfs', '/home/jovyan'],
    ...plan.readOnly.flatMap((path) => ['--ro-bind', path, path]),
    ...plan.mounts.flatMap(([from, to, isWritable]) => [isWritable ? '--bind' : '--ro-bind', from, to]),
    // The root of the jail itself takes no files: what may be written is the home, /tmp and /dev/shm.
    ...['--remount-ro', '/'],
    ...Object.entries(plan.environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...(seccompFilter() === null ? [] : ['--seccomp', String(seccompDescriptor)]),
    '--',
    ...plan.command,
  ];
}

/** What of the system's own files a Python program needs: programs, libraries, certificates, time zones, users. */
function systemMounts(): string[] {
  const args: string[] = ['--ro-bind', '/usr', '/usr'];
  for (const path of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) args.push('--symlink', readlinkSync(path), path);
    else args.push('--ro-bind', path, path);
  }
  for (const path of [
    '/etc/ssl',
    '/etc/ca-certificates',
    '/etc/alternatives',
    '/etc/ld.so.cache',
    '/etc/localtime',
    '/etc/fonts',
    '/etc/mime.types',
  ]) {
    if (existsSync(path)) args.push('--ro-bind', realpathSync(path), path);
  }
  return args;
}
