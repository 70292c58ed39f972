import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AllowedAddress } from './egress-policy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where packages come from, as the operator configured it for uv or pip; never seen by user code. */
export interface PythonIndex {
  /** Variables for uv. */
  readonly environment: Readonly<Record<string, string>>;
  /** What a build must reach. */
  readonly allowed: readonly AllowedAddress[];
  /** Files and folders that a build must be able to read: certificates, folders of wheels. */
  readonly readOnly: readonly string[];
}

/** What a build may reach besides the public internet and the index that is configured. */
export interface BuildAddresses {
  /** Of the index that is taken where none is configured. */
  readonly ofDefaultIndex: readonly AllowedAddress[];
  /** Named by the operator (PADEMELON_BUILD_ALLOW): hosts to which an index leads. */
  readonly ofOperator: readonly AllowedAddress[];
}

/** uv does not read pip's settings, so they are translated: variables first, then pip's configuration files. */
export function readPythonIndex(
  env: Environment,
  { ofDefaultIndex, ofOperator }: BuildAddresses = { ofDefaultIndex: [], ofOperator: [] },
): PythonIndex {
  const pip = readPipConfiguration(env);
  const setting = (uv: string, pipName: string): string | undefined => env[uv] ?? pip.get(pipName);
  const index = setting('UV_DEFAULT_INDEX', 'index-url') ?? env['UV_INDEX_URL'];
  const extra = setting('UV_INDEX', 'extra-index-url') ?? env['UV_EXTRA_INDEX_URL'];
  const links = setting('UV_FIND_LINKS', 'find-links');
  const certificates = env['SSL_CERT_FILE'] ?? pip.get('cert');
  const environment: Record<string, string> = {};
  const add = (name: string, value: string | undefined): void => {
    if (value) environment[name] = value;
  };
  add('UV_DEFAULT_INDEX', index);
  add('UV_INDEX', extra?.split(/\s+/).join(' '));
  add('UV_FIND_LINKS', links?.split(/\s+/).join(','));
  add('SSL_CERT_FILE', certificates);
  add('UV_HTTP_TIMEOUT', env['UV_HTTP_TIMEOUT'] ?? pip.get('default-timeout') ?? pip.get('timeout'));
  for (const [name, value] of Object.entries(env)) {
    if (/^UV_INDEX_.+_(USERNAME|PASSWORD)$|^UV_(KEYRING_PROVIDER|INSECURE_HOST|NATIVE_TLS)$/.test(name))
      add(name, value);
  }
  const urls = [index, ...(extra?.split(/\s+/) ?? []), ...(links?.split(/\s+/) ?? [])].filter(
    (url) => url !== undefined,
  );
  const folders = (links?.split(/\s+/) ?? []).filter((link) => link.startsWith('/'));
  return {
    environment,
    allowed: [...(index === undefined ? ofDefaultIndex : []), ...urls.flatMap(addressOf), ...ofOperator],
    readOnly: [...(certificates ? [certificates] : []), ...folders],
  };
}

function addressOf(entry: string): AllowedAddress[] {
  // uv takes `name=URL` as well, and the log-in of that name from other variables.
  const url = entry.replace(/^[\w.-]+=/, '');
  if (!URL.canParse(url)) return [];
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return [];
  return [{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'http:' ? 80 : 443)) }];
}

/** pip's settings by their long names: PIP_* variables win over the user's file, and that over the system's. */
function readPipConfiguration(env: Environment): Map<string, string> {
  const settings = new Map<string, string>();
  const home = env['HOME'] ?? '/';
  const files = [
    '/etc/pip.conf',
    join(home, '.pip', 'pip.conf'),
    join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'pip', 'pip.conf'),
    env['PIP_CONFIG_FILE'],
  ];
  // As with pip itself: a configuration file that is no file switches all of them off.
  if (env['PIP_CONFIG_FILE'] !== '/dev/null') for (const file of files) if (file) readIni(file, settings);
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('PIP_') && value) settings.set(name.slice(4).toLowerCase().replaceAll('_', '-'), value);
  }
  return settings;
}

function readIni(file: string, settings: Map<string, string>): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return;
  }
  let section = '';
  let last = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[(\w+)\]/.exec(line);
    const pair = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (header) section = header[1] as string;
    else if (section !== 'global' && section !== 'install') continue;
    else if (pair) {
      last = (pair[1] as string).replaceAll('_', '-');
      settings.set(last, (pair[2] as string).trim());
    } else if (/^\s+\S/.test(line) && last !== '') settings.set(last, `${settings.get(last)} ${line.trim()}`.trim());
  }
}
