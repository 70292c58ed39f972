import { join } from 'node:path';
import { DomainError } from '@pademelon/domain';
import type { BaseSettings, Logger } from '@pademelon/runtime';
import { findDefaultIndex } from './default-index.ts';
import type { AllowedAddress } from './egress-policy.ts';
import { EnvironmentBuilder } from './environment-builder.ts';
import { findUv } from './find-uv.ts';
import { findInterpreter, type Interpreter, pythonVersionsFor } from './interpreter.ts';
import { readPythonIndex } from './python-index.ts';
import type { SandboxStatus } from './sandbox.ts';

export interface EnvironmentSourceOptions {
  readonly folder: string;
  readonly base: BaseSettings;
  readonly sandbox: SandboxStatus;
  readonly timeoutMs: number;
  /** Addresses that builds may reach beyond the public internet and the configured index. */
  readonly allowed: readonly AllowedAddress[];
  readonly logger: Logger;
}

export interface EnvironmentSource {
  /** Rejects while there is no Python to build with. */
  provide(): Promise<EnvironmentBuilder>;
  /** Ends what goes on in the background. */
  stop(): Promise<void>;
}

/**
 * Gives the environment builder, looked for at first need: the platform starts without a Python, and says that
 * orchestrations are unavailable when one is uploaded. What failed is tried again at the next need.
 */
export function environmentSource(options: EnvironmentSourceOptions): EnvironmentSource {
  let builder: Promise<EnvironmentBuilder> | null = null;
  return {
    provide: () => {
      builder ??= open(options).catch((error: unknown) => {
        builder = null;
        throw error;
      });
      return builder;
    },
    stop: async () => {
      const opened = await builder?.catch(() => null);
      await opened?.stop();
    },
  };
}

async function open({
  folder,
  base: { sdkVersion, pythonVersion },
  sandbox,
  timeoutMs,
  allowed,
  logger,
}: EnvironmentSourceOptions): Promise<EnvironmentBuilder> {
  const interpreter = await requireInterpreter(sdkVersion, pythonVersion);
  const uv = await findUv(join(folder, 'tools'), interpreter.path);
  logger.info({ python: interpreter.path, uv }, 'environments are built with');
  const builder = new EnvironmentBuilder({
    folder: join(folder, 'environments'),
    uv,
    interpreter,
    index: readPythonIndex(process.env, {
      ofDefaultIndex: await findDefaultIndex(interpreter.path),
      ofOperator: allowed,
    }),
    sandbox,
    baseSet: [`wallaroo==${sdkVersion}`, 'requests', 'pandas', 'pyarrow'],
    timeoutMs,
    onProblem: (error) => logger.warn({ err: error }, 'an environment could not be made faster'),
  });
  // A build is two steps, each of which may take that long.
  await builder.sweep(3 * timeoutMs);
  return builder;
}

async function requireInterpreter(sdkVersion: string, pythonVersion: string | undefined): Promise<Interpreter> {
  const [versions, why] =
    pythonVersion === undefined
      ? [pythonVersionsFor(sdkVersion), `for the SDK ${sdkVersion}`]
      : [[pythonVersion], 'as PADEMELON_PYTHON_VERSION says'];
  const interpreter = await findInterpreter(versions, process.env);
  if (interpreter !== null) return interpreter;
  throw new DomainError(
    'unsupported',
    `Orchestrations need Python ${versions.join(' or ')} ${why}, and none was found on the PATH or under pyenv of the worker's machine.`,
  );
}
