/** Words for states, as stored and as sent. */

/** `pod.state`. Moved on by the host that claimed the pod, and by nobody else. */
export const podStates = ['starting', 'ready', 'draining', 'error'] as const;
export type PodState = (typeof podStates)[number];

/** `model_versions.status`: the words of the 2026 SDK's strict enumeration. */
export const modelVersionStatuses = [
  'uploading',
  'pending_load_native',
  'attempting_load_native',
  'pending_load_container',
  'attempting_load_container',
  'ready',
  'error',
] as const;
export type ModelVersionStatus = (typeof modelVersionStatuses)[number];

export const workspaceRoles = ['OWNER', 'COLLABORATOR'] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];

/** `orchestrations.status`: the strict words of both SDK generations. */
export const orchestrationStatuses = ['uninitialized', 'pending_packaging', 'packaging', 'ready', 'error'] as const;
export type OrchestrationStatus = (typeof orchestrationStatuses)[number];

/**
 * `tasks.status`. A task stays `started` after its run has ended: notebooks wait for that word, and read the outcome
 * in its runs.
 */
export const taskStatuses = [
  'pending',
  'started',
  'failed',
  'pending_kill',
  'pending_pause',
  'paused',
  'pending_resume',
  'schedule_error',
] as const;
export type TaskStatus = (typeof taskStatuses)[number];

export const taskKinds = ['once', 'scheduled', 'continuous'] as const;
export type TaskKind = (typeof taskKinds)[number];

/** `runs.state`; the table of moves is in domain/runs/run-state.ts. */
export const runStates = ['pending', 'claimed', 'running', 'success', 'failure', 'killed', 'timed_out'] as const;
export type RunState = (typeof runStates)[number];

/** Why a run ended as it did. */
export const runReasons = [
  'completed',
  'exit_code',
  'signal',
  'out_of_memory',
  'disk_full',
  'killed_by_user',
  'timeout',
  'worker_lost',
  'not_started',
  'owner_inactive',
  'environment_failed',
  'sandbox_unavailable',
  'system_error',
] as const;
export type RunReason = (typeof runReasons)[number];
