import { missedRunPolicies, overlapPolicies, type ScheduleOrder, type TaskOrder } from '@pademelon/domain';
import { type Static, Type } from 'typebox';
import { OrNull } from '../or-null.ts';

/** What all three ways of starting a task have in common. `debug` is what the SDKs send and means nothing here. */
export const orderProperties = {
  orch_id: Type.String(),
  workspace_id: Type.Integer(),
  json: Type.Record(Type.String(), Type.Unknown()),
  name: OrNull(Type.String()),
  /** Seconds a run may take: 1 to 86400. */
  timeout: OrNull(Type.Integer()),
  /** How often a run that failed through no fault of its code is tried: 1 to 10. */
  max_attempts: OrNull(Type.Integer()),
  debug: OrNull(Type.Boolean()),
};

export const scheduleProperties = {
  /** Five cron fields, or second minute hour day month year with a year of four digits, which may be over. */
  schedule: Type.String(),
  /** IANA name; UTC when it is left out. */
  time_zone: OrNull(Type.String({ maxLength: 64 })),
  overlap_policy: OrNull(Type.Enum([...overlapPolicies])),
  missed_run_policy: OrNull(Type.Enum([...missedRunPolicies])),
};

const Order = Type.Object(orderProperties);
const ScheduleBody = Type.Object(scheduleProperties);

export function readOrder(body: Static<typeof Order>): TaskOrder {
  return {
    orchestrationId: body.orch_id,
    workspaceId: body.workspace_id,
    name: body.name ?? null,
    inputData: body.json,
    timeoutSeconds: body.timeout ?? undefined,
    maxAttempts: body.max_attempts ?? undefined,
  };
}

export function readSchedule(body: Static<typeof ScheduleBody>): ScheduleOrder {
  return {
    schedule: body.schedule,
    timeZone: body.time_zone ?? undefined,
    overlapPolicy: body.overlap_policy ?? undefined,
    missedRunPolicy: body.missed_run_policy ?? undefined,
  };
}
