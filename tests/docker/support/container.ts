import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Image } from './image.ts';
import { type DockerSeccompProfile, withoutCapabilities } from './seccomp.ts';

const run = promisify(execFile);

export interface ContainerOptions {
  readonly image: Image;
  /** For its configuration and what it keeps. */
  readonly folder: string;
  readonly seccomp: DockerSeccompProfile;
  readonly environment?: Readonly<Record<string, string>>;
  /** Instead of the image's own. */
  readonly command?: readonly string[];
  /** [folder or file of this machine, path inside, may be written]. */
  readonly mounts?: readonly (readonly [string, string, boolean])[];
  /** Whether Docker's masks lie over /proc, as they do without systempaths=unconfined. */
  readonly hasMaskedPaths?: boolean;
  /** What its own name stands for in its /etc/hosts. */
  readonly address?: string;
}

export interface Container {
  readonly process: ChildProcess;
  output(): string;
  readonly ended: Promise<number>;
  /** Runs a command inside and gives its status. */
  execute(command: readonly string[]): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts an image as Docker would with the settings of docker-compose.yml: by runc, as the image's user, without any
 * capability, no-new-privileges, a read-only root, that seccomp profile. Only the network is this machine's.
 */
export function startContainer(options: ContainerOptions): Container {
  const id = `pademelon-test-${randomUUID().slice(0, 8)}`;
  const bundle = join(options.folder, id);
  mkdirSync(bundle, { recursive: true });
  const hosts = join(bundle, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost\n${options.address ?? '127.0.0.1'} ${id}\n`);
  const mounts = [...(options.mounts ?? []), [hosts, '/etc/hosts', false] as const];
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(configuration({ ...options, mounts }, id)));
  const child = spawn('runc', ['run', '--bundle', bundle, id], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-64 * 1024);
    });
  }
  const ended = once(child, 'close').then(([code]) => (code as number | null) ?? 1);
  return {
    process: child,
    output: () => output,
    ended,
    execute: (command) =>
      run('runc', ['exec', id, ...command]).then(
        () => 0,
        (error: { code?: number; stderr?: string }) => {
          output += error.stderr ?? '';
          return error.code ?? 1;
        },
      ),
    async stop() {
      await run('runc', ['kill', id, 'TERM']).catch(() => undefined);
      const timer = setTimeout(() => void run('runc', ['kill', id, 'KILL']).catch(() => undefined), 20_000);
      await ended;
      clearTimeout(timer);
      await run('runc', ['delete', '--force', id]).catch(() => undefined);
    },
  };
}

function configuration(options: ContainerOptions, hostname: string): unknown {
  const { image } = options;
  const none: readonly string[] = [];
  const environment = { ...image.environment, ...options.environment };
  const id = image.isRoot ? 0 : 1000;
  return {
    ociVersion: '1.0.2',
    hostname,
    process: {
      user: { uid: id, gid: id },
      args: options.command ?? image.command,
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: image.workingFolder,
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
      noNewPrivileges: true,
    },
    root: { path: image.root, readonly: true },
    mounts: [...systemMounts, ...(options.mounts ?? []).map(bindMount)],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      seccomp: withoutCapabilities(options.seccomp),
      ...(options.hasMaskedPaths === true ? dockerMasks : {}),
    },
  };
}

function bindMount([source, destination, isWritable]: readonly [string, string, boolean]): unknown {
  return { source, destination, type: 'bind', options: ['rbind', isWritable ? 'rw' : 'ro'] };
}

const tmpfs = (destination: string, ...options: string[]): unknown => ({
  ...{ destination, type: 'tmpfs', source: 'tmpfs' },
  options: ['nosuid', 'nodev', ...options],
});

const systemMounts = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=64m'] },
  { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'gid=5'] },
  tmpfs('/dev/shm', 'noexec', 'mode=1777'),
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  tmpfs('/tmp', 'mode=1777'),
];

const dockerMasks = {
  maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/sys/firmware'],
  readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
};
