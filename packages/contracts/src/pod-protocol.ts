import type { PythonProgram } from './python-step.ts';

/**
 * What an inference host and its pods say to each other (over the child process's IPC channel) and what a gateway sends
 * to a pod (HTTP/1.1 on the pod's port).
 *
 * Gateway → pod: `POST /infer?<query of the caller>` with the caller's content-type, accept, user-agent, and the
 * headers below; body framing is content-length or chunked. The pod writes the final answer, errors included.
 * Host → pod: a `load` message first; later `drain`, upon which the pod finishes what it has and exits with 0.
 */

/** Proves to a pod that the caller is a gateway; the value is the pod's own key. */
export const podKeyHeader = 'x-pademelon-key';
export const requestIdHeader = 'x-request-id';

/** A model as a pipeline step names it, resolved to a file on the host's disk. */
export interface PodModel {
  readonly name: string;
  /** UUID of the model version. */
  readonly version: string;
  readonly sha: string;
  readonly versionId: number;
  /** Absolute path of the model file, readable by the pod. */
  readonly path: string;
  readonly tensorFields: readonly string[] | null;
  readonly dynamicBatching: DynamicBatching | null;
  /** Present for a Python step, absent for what ONNX Runtime loads. */
  readonly python?: PythonProgram;
}

export interface DynamicBatching {
  readonly maxBatchDelayMs: number;
  readonly batchSizeTarget: number;
  readonly batchSizeLimit: number | null;
}

export interface PodLimits {
  /** Bytes; a longer body is answered 413. */
  readonly jsonBodyBytes: number;
  readonly arrowBodyBytes: number;
  readonly rows: number;
  /** Requests waiting or running in the pod; one more is answered 429 with Retry-After. */
  readonly queuedRequests: number;
  /** Milliseconds that a request may wait in the pod; later it is answered 504 without being run. */
  readonly requestDeadlineMs: number;
  /** Milliseconds that a model may take for one request before the host ends the pod. */
  readonly runDeadlineMs: number;
}

export interface PodSpec {
  readonly podId: string;
  readonly deploymentId: number;
  /** `<deploy_id>-<deployment pk>`, as in the inference URL. */
  readonly deploymentName: string;
  readonly workspaceId: number;
  readonly pipelineId: number;
  readonly pipelineName: string;
  /** UUID of the pipeline version. */
  readonly pipelineVersion: string;
  /** `definition.steps` as it was stored. */
  readonly steps: readonly unknown[];
  readonly models: readonly PodModel[];
  /** ONNX Runtime's intra-op threads. */
  readonly threads: number;
  /** Bytes of memory that each process of the pod may hold; null for no limit. */
  readonly memoryBytes: number | null;
  /** Address to listen on; the port is chosen by the system. */
  readonly bindAddress: string;
  readonly key: string;
  /** Unix socket of the host's log collector. */
  readonly logSocketPath: string;
  readonly limits: PodLimits;
}

export type HostToPod = { readonly type: 'load'; readonly spec: PodSpec } | { readonly type: 'drain' };

export type PodToHost =
  | { readonly type: 'ready'; readonly port: number; readonly loadMs: number }
  /** Somebody told the pod to end (SIGTERM). It serves on until it is drained. */
  | { readonly type: 'leaving' }
  /** The spec cannot be served and trying again would not help; `reason` is a sentence for the user. */
  | { readonly type: 'failed'; readonly reason: string }
  /** Sent every second. A pod that stays silent is blocked by its model: the host's deadline decides. */
  | {
      readonly type: 'alive';
      readonly requests: number;
      readonly errors: number;
      readonly queued: number;
      /** Log records handed over so far: the host compares it with what arrived and counts the gap as dropped. */
      readonly logged: number;
      /** Rows of those records. */
      readonly loggedRows: number;
    };
