import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClaimedRun, RunConnection, RunToken } from '@pademelon/domain';
import type { AllowedAddress, EgressPolicy, Environment, SandboxStatus } from '@pademelon/workbench';
import { type JailCommand, jailPaths, prepareJail } from '@pademelon/workbench';
import { taskCeilingFor } from '@pademelon/workbench/processes';
import type { CodeFolder } from './code-folders.ts';
import { addressesOf } from './connection-addresses.ts';
import type { RunSettings } from './run-settings.ts';

export interface RunIngredients {
  readonly run: ClaimedRun;
  readonly sha: string;
  readonly code: CodeFolder;
  readonly environment: Environment;
  readonly token: RunToken;
  readonly connections: readonly RunConnection[];
  readonly settings: RunSettings;
  readonly sandbox: SandboxStatus;
  /** Folder of this attempt on the host, removed when it is over. */
  readonly folder: string;
}

export interface PreparedRun extends JailCommand {
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
}

const sitecustomize = fileURLToPath(new URL('./process-sitecustomize.py', import.meta.url));

/** What the run may reach beyond the public web: the platform, what the operator allows, the linked connections' hosts. */
export function egressPolicyFor({
  settings,
  connections,
}: Pick<RunIngredients, 'settings' | 'connections'>): EgressPolicy {
  const url = new URL(settings.platformUrl);
  const platform = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
  };
  return { allowed: [platform, ...settings.allowed], linked: connections.flatMap(addressesOf) };
}

/** Every place of the policy once: each is reached under its own name. */
function placesOf({ allowed, linked }: EgressPolicy): AllowedAddress[] {
  return [...new Map([...allowed, ...linked].map((place) => [`${place.host}:${place.port}`, place])).values()];
}

/**
 * Puts together what the SDK expects of a task's surroundings (its arguments, its cached token, its variables) and the
 * command that starts main.py, in a jail where there is one.
 */
export function prepareRun(ingredients: RunIngredients): PreparedRun {
  return ingredients.sandbox.level === 'jail' ? prepareJailedRun(ingredients) : preparePlainRun(ingredients);
}

function prepareJailedRun(ingredients: RunIngredients): PreparedRun {
  const { folder, code, environment, settings, sandbox } = ingredients;
  const seed = join(folder, 'seed');
  writeSeed(seed, ingredients);
  const place = `${jailPaths.home}/orchestration`;
  const python = `${jailPaths.environment}/bin/python`;
  const jail = prepareJail({
    bubblewrap: sandbox.bubblewrap as string,
    folder,
    interpreter: environment.interpreter.path,
    readOnly: environment.interpreter.folders.filter((path) => existsSync(path)),
    mounts: [[environment.folder, jailPaths.environment, false]],
    environment: {
      ...variables(ingredients),
      HOME: jailPaths.home,
      USER: 'jovyan',
      PATH: `${jailPaths.environment}/bin:/usr/local/bin:/usr/bin:/bin`,
      VIRTUAL_ENV: jailPaths.environment,
    },
    copies: [
      [seed, jailPaths.home],
      [code.folder, place],
      ...(environment.cacheFolder === null ? [] : [[environment.cacheFolder, `${jailPaths.home}/.cache`] as const]),
    ],
    cwd: join(place, dirname(code.layout.entryPoint)),
    command: [python, 'main.py'],
    direct: placesOf(egressPolicyFor(ingredients)),
    limits: settings.jail,
    tasks: taskCeilingFor(settings.limits.processes),
  });
  // Nothing of the worker's own environment: the first process of a jail shows its own to the rest.
  return { ...jail, environment: {}, workingFolder: folder };
}

function preparePlainRun(ingredients: RunIngredients): PreparedRun {
  const { folder, code, environment } = ingredients;
  const home = join(folder, 'home');
  writeSeed(home, ingredients);
  if (environment.cacheFolder !== null) {
    cpSync(environment.cacheFolder, join(home, '.cache'), { recursive: true });
  }
  const place = join(home, 'orchestration');
  cpSync(code.folder, place, { recursive: true });
  const patches = join(folder, 'python');
  mkdirSync(patches);
  copyFileSync(sitecustomize, join(patches, 'sitecustomize.py'));
  return {
    command: join(environment.folder, 'bin', 'python'),
    args: ['main.py'],
    seccompFile: null,
    workingFolder: join(place, dirname(code.layout.entryPoint)),
    environment: {
      ...variables(ingredients),
      HOME: home,
      PATH: `${join(environment.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
      VIRTUAL_ENV: environment.folder,
      PYTHONPATH: patches,
      PADEMELON_ARGUMENTS_FILE: join(home, 'arguments.json'),
    },
  };
}

function variables({ run, sha, settings }: RunIngredients): Record<string, string> {
  return {
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    PYTHONUNBUFFERED: '1',
    ...settings.environment,
    WALLAROO_TASK_ID: run.taskId,
    WALLAROO_RUN_ID: run.runId,
    WALLAROO_URL: settings.platformUrl,
    WALLAROO_AUTH_URL: settings.platformUrl,
    ORCH_SHA: sha,
    PADEMELON_ATTEMPT: String(run.attempt),
  };
}

/** The files of the private home: the task's arguments, and the token in the file where the SDK looks for it. */
function writeSeed(home: string, { run, token }: RunIngredients): void {
  const cache = join(home, '.cache', 'wallaroo_sdk', 'auth');
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(home, 'arguments.json'), JSON.stringify(run.inputData ?? {}));
  const file = join(cache, 'keycloak.json');
  const expiry = token.expiresAtMs / 1_000;
  writeFileSync(
    file,
    JSON.stringify({
      access_token: token.accessToken,
      expiry,
      // A run's token is not renewed: it lives as long as the run may.
      refresh_token: '',
      refresh_token_expiry: expiry,
      user_id: token.userId,
      user_email: token.email,
    }),
  );
  chmodSync(file, 0o600);
}
