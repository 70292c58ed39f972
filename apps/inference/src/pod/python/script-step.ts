import type { PipelineStep, Script } from '../pipeline-steps/pipeline-step.ts';

/**
 * A script as a step: its columns are what the next step reads. It says nothing of how it wants its own columns read, so
 * they are taken as the request has them.
 */
export function scriptStep({ identity, model }: Script): PipelineStep {
  return {
    hints: new Map(),
    checkNames: [],
    run: () => {
      throw new Error('A script runs in a process of its own and can only be waited for.');
    },
    runLater: async (flow) => {
      const columns = await model.run(flow.columns, flow.rowCount);
      return { ...flow, columns, isChained: true, lastModel: identity };
    },
  };
}
