import { chmodSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AllowedAddress } from './egress-policy.ts';
import { type JailLimits, jailArguments } from './sandbox.ts';
import { seccompFilter } from './seccomp-filter.ts';

/** Where things are inside every jail. */
export const jailPaths = {
  init: '/run/pademelon/jail-init.py',
  socket: '/run/pademelon/egress.sock',
  home: '/home/jovyan',
  environment: '/opt/environment',
  /** Of builds only: the cache, and what is being built from it. */
  builds: '/opt/builds',
} as const;

/** Port on the jail's loopback where HTTP_PROXY points. */
const proxyPort = 3128;

/** The first program of a jail: beside this file in the sources and, copied by the build, in dist/. */
const initFile = fileURLToPath(new URL('./jail-init.py', import.meta.url));
const addressesFile = fileURLToPath(new URL('./jail-addresses.py', import.meta.url));

/** [address, port, request line], as jail-init.py takes it. */
export type Forward = readonly [string, number, string];

export interface JailCommandOptions {
  readonly bubblewrap: string;
  /** Folder of the run on the host: holds the egress socket and the small files of /etc. */
  readonly folder: string;
  /** Program that runs jail-init.py and jail-addresses.py; anything of Python 3.9 or newer. */
  readonly interpreter: string;
  readonly readOnly: readonly string[];
  readonly mounts: readonly (readonly [string, string, boolean])[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folders on the host whose content is copied to folders of the jail before the command starts: [from, to]. */
  readonly copies: readonly (readonly [string, string])[];
  readonly cwd: string;
  readonly command: readonly string[];
  /** Addresses that the command reaches under their own names, without a proxy setting. */
  readonly direct: readonly AllowedAddress[];
  readonly limits: JailLimits;
  /** Processes and threads that the command may have. */
  readonly tasks: number;
}

export interface JailCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** File with the seccomp program, to be opened as descriptor 3; null where there is none for this processor. */
  readonly seccompFile: string | null;
}

/**
 * Writes the small files that a jail needs into the folder and puts its command line together. Direct addresses keep
 * their names: an IP address is listened on as it is, a host name gets a loopback address of its own in /etc/hosts.
 */
export function prepareJail(options: JailCommandOptions): JailCommand {
  const { forwards, hosts } = planForwards(options.direct);
  const files = writeSystemFiles(options.folder, hosts);
  const plan = {
    forwards,
    socket: jailPaths.socket,
    copies: options.copies.map(([, to], index) => [sourceInJail(index), to]),
    cwd: options.cwd,
    command: options.command,
    tasks: options.tasks,
  };
  return {
    command: options.bubblewrap,
    args: jailArguments({
      bubblewrap: options.bubblewrap,
      readOnly: options.readOnly,
      mounts: [
        ...options.mounts,
        ...options.copies.map(([from], index) => [from, sourceInJail(index), false] as const),
        [join(options.folder, 'egress.sock'), jailPaths.socket, false],
        [initFile, jailPaths.init, false],
        ...files.mounts,
      ],
      environment: { ...proxySettings(options.direct), ...options.environment },
      command: [...python(options.interpreter), jailPaths.init, JSON.stringify(plan)],
      limits: options.limits,
      prepareNetwork: networkCommand(forwards, options.interpreter),
    }),
    seccompFile: files.seccompFile,
  };
}

/** The command line of a jail that begins with the command itself and has no way out at all. */
export function prepareClosedJail(
  options: Pick<
    JailCommandOptions,
    'bubblewrap' | 'folder' | 'readOnly' | 'mounts' | 'environment' | 'command' | 'limits'
  >,
): JailCommand {
  const { seccompFile, mounts } = writeSystemFiles(options.folder, []);
  return {
    command: options.bubblewrap,
    args: jailArguments({ ...options, mounts: [...options.mounts, ...mounts], prepareNetwork: [] }),
    seccompFile,
  };
}

/** Users, groups and names as programs look them up, and the seccomp program. */
function writeSystemFiles(
  folder: string,
  hosts: readonly string[],
): { mounts: JailCommandOptions['mounts']; seccompFile: string | null } {
  const write = (name: string, text: string | Buffer): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    chmodSync(file, 0o644);
    return file;
  };
  const etc = [
    ['passwd', 'jovyan:x:1000:1000::/home/jovyan:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n'],
    ['group', 'jovyan:x:1000:\nnogroup:x:65534:\n'],
    ['hosts', `127.0.0.1 localhost run\n::1 localhost\n${hosts.join('')}`],
    ['resolv.conf', ''],
    ['nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'],
  ] as const;
  const filter = seccompFilter();
  return {
    mounts: etc.map(([name, text]) => [write(`etc-${name}`, text), `/etc/${name}`, false] as const),
    seccompFile: filter === null ? null : write('seccomp.bpf', filter),
  };
}

function sourceInJail(index: number): string {
  return `/run/pademelon/source-${index}`;
}

function planForwards(direct: readonly AllowedAddress[]): { forwards: Forward[]; hosts: string[] } {
  const forwards: Forward[] = [['127.0.0.1', proxyPort, 'PROXY']];
  const hosts: string[] = [];
  const addressOf = new Map<string, string>([['localhost', '127.0.0.1']]);
  for (const { host, port } of direct) {
    let address = isIP(host) === 0 ? addressOf.get(host) : host;
    if (address === undefined) {
      address = `127.77.${addressOf.size >> 8}.${addressOf.size & 255}`;
      addressOf.set(host, address);
      hosts.push(`${address} ${host}\n`);
    }
    forwards.push([address, port, `TCP ${host.includes(':') ? `[${host}]` : host}:${port}`]);
  }
  return { forwards, hosts };
}

/** What lets jail-init.py listen where it is to: on ports below 1024, and on addresses that loopback has not by itself. */
function networkCommand(forwards: readonly Forward[], interpreter: string): string[] {
  const openPorts = 'echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start; exec "$0" "$@"';
  const hasLowPorts = forwards.some(([, port]) => port < 1024);
  const addresses = [...new Set(forwards.map(([address]) => address).filter((address) => !address.startsWith('127.')))];
  return [
    ...(hasLowPorts ? ['/bin/sh', '-c', openPorts] : []),
    ...(addresses.length > 0 ? [...python(interpreter), addressesFile, addresses.join(',')] : []),
  ];
}

/** The interpreter with nothing of its surroundings: neither variables nor packages. */
function python(interpreter: string): string[] {
  return [interpreter, '-I', '-S', '-E'];
}

function proxySettings(direct: readonly AllowedAddress[]): Record<string, string> {
  const proxy = `http://127.0.0.1:${proxyPort}`;
  const around = ['localhost', '127.0.0.1', ...direct.map(({ host }) => host)];
  const noProxy = [...new Set(around)].join(',');
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}
