import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import type { InferenceLogStore, LoggedPipeline, LogSpan } from './inference-log-store.ts';
import type { LogBatchDecoder } from './log-batch.ts';
import type { LogIterator, LogPage, LogQuery } from './log-page.ts';
import { readPage } from './log-reader.ts';
import { parseTopicName, pipelineTopicName } from './log-topic.ts';

/** A topic with the pipelines that its rows come from; each is a partition of the topic. */
interface OpenTopic {
  readonly pipelines: readonly LoggedPipeline[];
  readonly numbering: 'rows' | 'failures';
  readonly modelName: string | null;
}

export interface LogLimits {
  /**
   * Bytes of column values in one page; one batch more may be read to find where the page ends. An answer is put
   * together in one go, while other callers wait, so this bounds their wait too.
   */
  readonly pageBytes: number;
}

/** Use cases of the inference log's readers. Every one answers only of workspaces that the caller is in. */
export class InferenceLogService {
  readonly #store: InferenceLogStore;
  readonly #decoder: LogBatchDecoder;
  readonly #limits: LogLimits;

  constructor(store: InferenceLogStore, decoder: LogBatchDecoder, limits: LogLimits = { pageBytes: 8 * 1024 * 1024 }) {
    this.#store = store;
    this.#decoder = decoder;
    this.#limits = limits;
  }

  /** Name of the topic that holds the pipeline's inferences. */
  async topicName(caller: Caller, pipelineId: number): Promise<string> {
    const pipeline = await this.#store.findPipeline(caller.userId, pipelineId);
    if (pipeline === null) throw notFound('pipeline', pipelineId);
    return pipelineTopicName(pipeline.workspaceId, pipeline.name);
  }

  /** For each partition of the topic the numbers of its oldest row and of the row after its newest. */
  async spans(caller: Caller, topicName: string): Promise<Record<string, LogSpan>> {
    const topic = await this.#open(caller, topicName);
    const spans = await Promise.all(topic.pipelines.map(({ id }) => this.#store.findSpan(id, topic.numbering)));
    return Object.fromEntries(topic.pipelines.map(({ id }, i) => [partitionName(id), spans[i]!]));
  }

  async read(caller: Caller, topicName: string, query: LogQuery): Promise<LogPage> {
    const topic = await this.#open(caller, topicName);
    checkIterator(topic, query.iterator);
    return readPage({
      store: this.#store,
      decoder: this.#decoder,
      partitions: topic.pipelines.map(({ id }) => ({ name: partitionName(id), pipelineId: id })),
      numbering: topic.numbering,
      modelName: topic.modelName,
      maxBytes: this.#limits.pageBytes,
      query,
    });
  }

  /** What is foreign and what is not there are told alike. */
  async #open(caller: Caller, topicName: string): Promise<OpenTopic> {
    const topic = parseTopicName(topicName);
    if (topic === null) throw notFound('log topic', topicName);
    const { store, userId } = { store: this.#store, userId: caller.userId };
    const numbering = topic.onlyFailures ? 'failures' : 'rows';
    if (topic.kind === 'pipeline') {
      const pipeline = await store.findPipelineByName(userId, topic.workspaceId, topic.pipelineName);
      if (pipeline === null) throw notFound('log topic', topicName);
      return { pipelines: [pipeline], numbering, modelName: null };
    }
    const pipelines = await store.findPipelinesOfModel(userId, topic.modelName);
    if (pipelines === null) throw notFound('log topic', topicName);
    return { pipelines, numbering, modelName: topic.modelName };
  }
}

function partitionName(pipelineId: number): string {
  return `pipeline-${pipelineId}`;
}

function checkIterator(topic: OpenTopic, iterator: LogIterator): void {
  const names = new Set(topic.pipelines.map(({ id }) => partitionName(id)));
  for (const [name, position] of Object.entries(iterator)) {
    if (!names.has(name)) {
      throw new DomainError('invalid_input', `The topic has no partition ${JSON.stringify(name)} to continue in.`);
    }
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new DomainError('invalid_input', `The position in ${name} must be a whole number from 0 up.`);
    }
  }
}
