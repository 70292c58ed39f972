import type { Task, Workspace } from '@pademelon/domain';
import { Type } from 'typebox';
import { type RunWord, runWord } from '../../dialects/run-words.ts';
import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { OrNull } from '../or-null.ts';
import { generationOf, TaskRecord, toTaskRecord } from '../task/task-wire.ts';
import { OrchestrationRecord, toOrchestrationRecord } from './orchestration-wire.ts';

const runStatuses = ['failure', 'killed', 'running', 'success', 'timed_out', 'unknown'] as const;

const Body = Type.Object({
  /** Empty: all. Otherwise the orchestrations with a task whose last run has one of these, and those tasks. */
  task_run_status: OrNull(Type.Array(Type.Enum([...runStatuses]), { maxItems: runStatuses.length })),
  /** Empty: all of the caller's. */
  workspace_ids: OrNull(Type.Array(Type.Integer(), { maxItems: 1_000 })),
  killed: OrNull(Type.Boolean()),
});
const Item = Type.Object({
  orchestration: OrchestrationRecord,
  tasks: Type.Array(TaskRecord),
  workspace: Type.Object({
    id: Type.Integer(),
    name: Type.String(),
    archived: Type.Boolean(),
    created_at: Type.String(),
    created_by: Type.String(),
    group_id: Type.Null(),
  }),
});
const Reply = Type.Object({ orchestrations: Type.Array(Item) });

/** The 2026 SDK's list: of several workspaces, with what it needs to show of each orchestration. */
export function listAllOrchestrations(app: Api, { orchestrations, tasks, workspaces }: Services): void {
  app.post(
    '/v1/api/orchestration/list_all',
    {
      schema: {
        summary: 'List orchestrations with their tasks',
        tags: ['orchestrations'],
        body: Body,
        response: { 200: Reply },
      },
    },
    async (request) => {
      const { caller, body } = request;
      const listed = await orchestrations.listAll(caller, body.workspace_ids ?? []);
      const started = await tasks.listOf(
        caller,
        listed.map(({ id }) => id),
        body.killed ?? false,
      );
      const wanted = new Set<string>(body.task_run_status ?? []);
      const matching = wanted.size === 0 ? started : started.filter((task) => wanted.has(lastRunWord(task)));
      const byOrchestration = Map.groupBy(matching, (task) => task.orchestrationId);
      const rooms = new Map((await workspaces.list(caller)).map((workspace) => [workspace.id, workspace]));
      return {
        orchestrations: listed.flatMap((orchestration) => {
          const workspace = rooms.get(orchestration.workspaceId);
          const own = byOrchestration.get(orchestration.id) ?? [];
          if (workspace === undefined || (wanted.size > 0 && own.length === 0)) return [];
          return {
            orchestration: toOrchestrationRecord(orchestration),
            tasks: own.map((task) => toTaskRecord(task, generationOf(request))),
            workspace: toWorkspaceHead(workspace),
          };
        }),
      };
    },
  );
}

function lastRunWord(task: Task): RunWord | 'unknown' {
  const last = task.lastRuns.at(-1);
  return last === undefined ? 'unknown' : runWord(last.state, '2026');
}

function toWorkspaceHead(workspace: Workspace) {
  return {
    id: workspace.id,
    name: workspace.name,
    archived: workspace.isArchived,
    created_at: workspace.createdAt.toISOString(),
    created_by: workspace.createdById,
    group_id: null,
  };
}
