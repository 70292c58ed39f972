import { SettingError } from '@pademelon/runtime';
import type { SandboxStatus } from './sandbox.ts';

/** `auto` takes a jail where one can be built, `required` refuses to start without one, `off` never uses one. */
export type SandboxChoice = 'auto' | 'required' | 'off';

/** Follows the operator's choice, as far as this machine lets it. Throws a SettingError where a jail is required. */
export async function chooseSandbox(
  choice: SandboxChoice,
  probe: () => Promise<SandboxStatus>,
): Promise<SandboxStatus> {
  if (choice === 'off') {
    const warning =
      'Runs are not sandboxed, because PADEMELON_SANDBOX=off. User code can read what this process can read.';
    return { level: 'process', warning, bubblewrap: null };
  }
  const status = await probe();
  if (choice === 'required' && status.level !== 'jail') {
    throw new SettingError(`PADEMELON_SANDBOX=required, but there is no sandbox. ${status.warning}`);
  }
  return status;
}
