import type { Orchestration } from '@pademelon/domain';
import { type Static, Type } from 'typebox';

export const OrchestrationRecord = Type.Object({
  id: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  file_name: Type.String(),
  file_size: Type.Integer(),
  owner_id: Type.String(),
  created_by: Type.Union([Type.String(), Type.Null()]),
  sha: Type.String(),
  /** pending_packaging, packaging, ready or error. */
  status: Type.String(),
  /** Why it is in error; more is in its build log. */
  status_reason: Type.Union([Type.String(), Type.Null()]),
  /** No task makes an orchestration here, but the SDKs read the key. */
  task_id: Type.Null(),
  image_path: Type.String(),
  workspace_id: Type.Integer(),
  created_at: Type.String(),
  updated_at: Type.String(),
});

export function toOrchestrationRecord(orchestration: Orchestration): Static<typeof OrchestrationRecord> {
  return {
    id: orchestration.id,
    name: orchestration.name,
    file_name: orchestration.fileName,
    file_size: orchestration.sizeBytes,
    owner_id: orchestration.createdById,
    created_by: orchestration.createdByEmail,
    sha: orchestration.sha,
    status: orchestration.status,
    status_reason: orchestration.statusReason,
    task_id: null,
    image_path: '',
    workspace_id: orchestration.workspaceId,
    created_at: orchestration.createdAt.toISOString(),
    updated_at: orchestration.updatedAt.toISOString(),
  };
}
