import type { AllowedAddress, JailLimits } from '@pademelon/workbench';
import type { SupervisorLimits } from './supervisor-protocol.ts';

/** What the operator decides about runs. */
export interface RunSettings {
  /** URL of the platform as runs reach it. */
  readonly platformUrl: string;
  /** Variables that every run gets (PADEMELON_RUN_ENV_<NAME>=value gives NAME=value). */
  readonly environment: Readonly<Record<string, string>>;
  /** Addresses beyond the general rules (PADEMELON_RUN_ALLOW=host:port,…). */
  readonly allowed: readonly AllowedAddress[];
  readonly graceMs: number;
  readonly jail: JailLimits;
  readonly limits: SupervisorLimits;
}

const prefix = 'PADEMELON_RUN_ENV_';

export function readRunEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith(prefix) && name.length > prefix.length && value !== undefined) {
      variables[name.slice(prefix.length)] = value;
    }
  }
  return variables;
}
