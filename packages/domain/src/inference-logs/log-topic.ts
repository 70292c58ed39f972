import { isStorableText } from '../plain-json.ts';

/**
 * What a topic name asks for. The names are those that the SDKs build: the platform's answer of get_topic_name, the
 * same with `-failures`, and `model-<name>-inference`.
 */
export type LogTopic =
  | {
      readonly kind: 'pipeline';
      readonly workspaceId: number;
      readonly pipelineName: string;
      readonly onlyFailures: boolean;
    }
  | { readonly kind: 'model'; readonly modelName: string; readonly onlyFailures: boolean };

export function pipelineTopicName(workspaceId: number, pipelineName: string): string {
  return `workspace-${workspaceId}-pipeline-${pipelineName}-inference`;
}

/** Null for a name of another form. */
export function parseTopicName(name: string): LogTopic | null {
  const match = /^(?:workspace-(\d{1,10})-pipeline|model)-(.+)-inference(-failures)?$/s.exec(name);
  if (match === null || !isStorableText(name)) return null;
  const [, workspaceId, subject, failures] = match;
  const onlyFailures = failures !== undefined;
  if (workspaceId === undefined) return { kind: 'model', modelName: subject!, onlyFailures };
  if (Number(workspaceId) > 2 ** 31 - 1) return null;
  return { kind: 'pipeline', workspaceId: Number(workspaceId), pipelineName: subject!, onlyFailures };
}
