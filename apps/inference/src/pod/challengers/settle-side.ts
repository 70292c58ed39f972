import type { SideOutputs, SideResult } from '../pipeline-steps/pipeline-step.ts';

export function isSettled(side: SideResult): side is SideResult<SideOutputs> {
  return side.outputs === null || Array.isArray(side.outputs);
}

/** Asks for the outputs if nobody has yet, and waits for them. */
export async function settleSide(side: SideResult): Promise<SideResult<SideOutputs>> {
  const { outputs } = side;
  return { ...side, outputs: typeof outputs === 'function' ? await outputs() : await outputs };
}
