/** A profile as Docker reads it. */
export interface DockerSeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly syscalls: readonly DockerSeccompRule[];
}

export interface DockerSeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly unknown[] | null;
  readonly includes?: Conditions;
  readonly excludes?: Conditions;
}

interface Conditions {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/** The profile as Docker would hand it to runc for a container without any capability on this processor. */
export function withoutCapabilities(profile: DockerSeccompProfile): Record<string, unknown> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const applies = ({ includes = {}, excludes = {} }: DockerSeccompRule): boolean =>
    includes.caps === undefined &&
    (includes.arches?.includes(arch) ?? true) &&
    !(excludes.arches?.includes(arch) ?? false);
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet ?? 1,
    architectures:
      arch === 'arm64'
        ? ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']
        : ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: profile.syscalls.filter(applies).map(({ names, action, errnoRet, args }) => ({
      ...{ names, action },
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args ? { args } : {}),
    })),
  };
}
