import { nodeFlagsFor, programPath } from './programs.ts';

/** What differs between the services that the launcher runs. */
export interface ServiceDefinition {
  readonly name: string;
  readonly program: string;
  readonly nodeFlags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface ServicePlan {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly apiPort: number;
  readonly publicUrl: string;
  readonly databaseUrl: string;
  readonly isAuthOff: boolean;
  readonly logLevel: string;
  /** The launcher's own environment; only what services may know of it is passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The services in the order of their start; they stop in the reverse order: runs that the worker lets finish need all the
 * others, and when the front door closes, nobody is cut off from what is still behind it. The worker mostly waits and has no use for the optimizing compilers,
 * whose code alone takes 9 MB; the inference host takes the log of every request and does.
 */
export function planServices(plan: ServicePlan): ServiceDefinition[] {
  const apiUrl = `http://127.0.0.1:${plan.apiPort}`;
  const environment = {
    ...inherited(plan.environment),
    NODE_ENV: 'production',
    PADEMELON_HOME: plan.home,
    PADEMELON_API_HOST: '127.0.0.1',
    PADEMELON_API_PORT: String(plan.apiPort),
    PADEMELON_API_URL: apiUrl,
    DATABASE_URL: plan.databaseUrl,
    PUBLIC_URL: plan.publicUrl,
    HOST: plan.host,
    PORT: String(plan.port),
    AUTH: plan.isAuthOff ? 'off' : 'on',
    LOG_LEVEL: plan.logLevel,
  };
  const service = (name: string, nodeFlags: readonly string[], more = {}): ServiceDefinition => ({
    name,
    program: programPath(name),
    nodeFlags: nodeFlagsFor(nodeFlags),
    environment: { ...environment, ...more },
  });
  return [
    service('api', ['--max-semi-space-size=8', roomForBatches], promptFree),
    service('inference', ['--max-semi-space-size=8', roomForBatches], forBuilds(plan.environment)),
    service('gateway', ['--max-semi-space-size=16']),
    service('worker', ['--max-semi-space-size=2', '--no-opt', '--no-maglev'], forBuilds(plan.environment)),
  ];
}

/**
 * The batches of the log that are under way, 20 MB, would be more than what V8 lets a small heap gain before it looks
 * for garbage in all of it: in a host under load ten times a second, for a tenth of all CPU time; in the API for nearly
 * every batch that a page of the log is read from, which took as long again as all the rest.
 */
const roomForBatches = '--initial-old-space-size=128';

/**
 * Makes glibc give large blocks, such as the 20 MB that checking a password takes, back to the system, and keep two
 * arenas instead of eight a core: 80 MB less after a few log-ins.
 */
const promptFree = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_ARENA_MAX: '2' } as const;

/**
 * Settings of the platform (PADEMELON_*) and what a program needs of its surroundings: where programs and temporary
 * files are, the language, proxies and certificates. Not what npm or a shell happens to export.
 */
const inheritedNames =
  /^(PATH|HOME|USER|LANG|LC_[A-Z]+|TZ|TMPDIR|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|REDIS_URL|PADEMELON_\w+)$/i;

function inherited(environment: ServicePlan['environment']): Record<string, string> {
  return pick(environment, inheritedNames);
}

/** Workers and hosts find interpreters and read the package index as pip and uv are configured. */
function forBuilds(environment: ServicePlan['environment']): Record<string, string> {
  return pick(environment, /^(PIP_\w+|UV_\w+|PYENV_ROOT|XDG_CONFIG_HOME)$/);
}

function pick(environment: ServicePlan['environment'], names: RegExp): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined && names.test(entry[0]);
    }),
  );
}
