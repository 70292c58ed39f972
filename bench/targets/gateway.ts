import { startPlatform } from '../../tests/acceptance/support/platform.ts';
import { logIn } from '../../tests/acceptance/support/rest-client.ts';
import { deployModel } from '../../tests/acceptance/support/rest-flow.ts';
import { openInferenceForm, pipelineForm } from '../request-form.ts';
import { sdkUserAgent } from '../sdk-user-agent.ts';
import type { Target } from '../target.ts';
import { firstAnswer } from './first-answer.ts';
import { treeMemoryBytes } from './tree-memory.ts';

/**
 * The whole product, started by its launcher; two replicas of one thread behind the gateway, a user's token. Asked as a
 * pipeline, or in the Open Inference Protocol.
 */
export function gatewayTarget({ speaksOpenInference = false } = {}): Target {
  return {
    name: speaksOpenInference ? 'Pademelon, V2' : 'Pademelon gateway',
    async start(modelPath) {
      const platform = await startPlatform();
      try {
        const client = await logIn(platform);
        const pipeline = await deployModel(client, { modelPath, replicas: 2 });
        const query = 'dataset%5B%5D=%2A&dataset.exclude%5B%5D=metadata&dataset.separator=.';
        const url = speaksOpenInference
          ? `${platform.url}/v2/models/${pipeline.name}/infer`
          : `${pipeline.inferenceUrl}?${query}`;
        const form = speaksOpenInference ? openInferenceForm : pipelineForm;
        const headers = { authorization: `Bearer ${client.token}`, 'user-agent': sdkUserAgent };
        await firstAnswer(url, headers, form);
        return {
          urls: [url],
          headers,
          form,
          startMs: platform.startMs,
          memoryBytes: () => treeMemoryBytes(platform.pid, /postgres/),
          stop: () => platform.dispose(),
        };
      } catch (error) {
        await platform.dispose();
        throw error;
      }
    },
  };
}
