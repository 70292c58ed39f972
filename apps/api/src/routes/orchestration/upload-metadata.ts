import { DomainError, type OrchestrationDetails } from '@pademelon/domain';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { OrNull } from '../or-null.ts';

export const OrchestrationMetadata = Type.Object({ workspace_id: Type.Integer(), name: OrNull(Type.String()) });

/** The metadata part of an upload form, as JSON text. Throws `invalid_input`. */
export function readOrchestrationMetadata(text: string | undefined): OrchestrationDetails {
  if (text === undefined) throw invalid('The upload form has no part "metadata".');
  let sent: unknown;
  try {
    sent = JSON.parse(text);
  } catch (cause) {
    throw invalid('The metadata of the upload is not valid JSON.', cause);
  }
  if (!Value.Check(OrchestrationMetadata, sent)) {
    throw invalid('The metadata of the upload takes workspace_id, a whole number, and name, a text or null.');
  }
  return { workspaceId: sent.workspace_id, name: sent.name ?? null };
}

function invalid(message: string, cause?: unknown): DomainError {
  return new DomainError('invalid_input', message, { cause });
}
