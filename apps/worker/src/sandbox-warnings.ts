import type { SandboxStatus } from '@pademelon/workbench';

/** What an operator has to know of how this worker keeps user code apart; `userId` is whom the worker runs as. */
export function sandboxWarnings({ level, warning }: SandboxStatus, userId: number | undefined): string[] {
  const warnings = warning === null ? [] : [warning];
  if (level === 'jail' && userId === 0) {
    warnings.push(
      'The worker runs as root. Code in its jails cannot become root, but owns /dev/null and the other devices that it sees, and can change who may use them on this machine. Run the worker as another user.',
    );
  }
  return warnings;
}
