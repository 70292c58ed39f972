import { randomUUID } from 'node:crypto';
import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import type { Orchestration } from '../orchestrations/orchestration.ts';
import type { OrchestrationService } from '../orchestrations/orchestration-service.ts';
import { isRowId, isUuid } from '../row-id.ts';
import type { Doorbell } from '../runs/doorbell.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import { Schedule } from './schedule.ts';
import type { Task } from './task.ts';
import { type CheckedOrder, checkOrder, type ScheduleOrder, type TaskOrder, timeoutLimits } from './task-order.ts';
import type { NewTask, TaskFilter, TaskStore } from './task-store.ts';

export interface TaskServiceOptions {
  readonly store: TaskStore;
  readonly orchestrations: OrchestrationService;
  readonly workspaces: WorkspaceService;
  readonly doorbell: Doorbell;
}

export interface TaskSearch {
  readonly workspaceId?: number | undefined;
  readonly orchestrationId?: string | undefined;
  readonly orchestrationSha?: string | undefined;
  readonly withKilled?: boolean | undefined;
  readonly runLimit?: number | undefined;
}

/** How long an accepted run may wait for a worker. */
const startWithinSeconds = 3_600;
const defaultRunLimit = 5;
const maxRunLimit = 100;
const maxTasks = 1_000;
const maxSlots = 100;

/** Use cases of tasks. What runs they make, and what becomes of those, is the run core's: a task is only the order. */
export class TaskService {
  readonly #options: TaskServiceOptions;

  constructor(options: TaskServiceOptions) {
    this.#options = options;
  }

  /** Resolves to the task's id; its one run is there with it. */
  async runOnce(caller: Caller, order: TaskOrder): Promise<string> {
    return this.#add(caller, order, { ...atOnce, ...checkOrder(order), kind: 'once', status: 'pending' }, true);
  }

  /**
   * The task is `started` from the first moment: notebooks wait for that word, and the first slot may be a year away.
   * The runs are made by the schedule enqueuer. A schedule that is over is taken as well: its task has no next slot.
   */
  async runScheduled(caller: Caller, order: TaskOrder & ScheduleOrder): Promise<string> {
    const { store } = this.#options;
    const checked = checkOrder(order);
    const { schedule, timeZone = 'UTC', overlapPolicy = 'skip', missedRunPolicy = 'last' } = order;
    const now = await store.now();
    const nextRunAt = Schedule.parse(schedule, timeZone).next(now);
    const fields = { schedule, timeZone, overlapPolicy, missedRunPolicy, nextRunAt };
    return this.#add(caller, order, { ...checked, ...fields, kind: 'scheduled', status: 'started' }, false);
  }

  /** Its first run is there with it; the enqueuer makes a new one whenever one has ended. */
  async runContinuously(caller: Caller, order: TaskOrder): Promise<string> {
    const checked = checkOrder(order, timeoutLimits.max);
    return this.#add(caller, order, { ...atOnce, ...checked, kind: 'continuous', status: 'started' }, true);
  }

  async get(caller: Caller, id: string, runLimit?: number): Promise<Task> {
    const found = isUuid(id) ? await this.#options.store.find(caller.userId, id, toRunLimit(runLimit)) : null;
    if (found === null) throw notFound('task', id);
    return found;
  }

  /** Last changed first, at most 1,000; without a workspace those of all the caller's. */
  async list(caller: Caller, search: TaskSearch): Promise<Task[]> {
    const { workspaceId, orchestrationId, orchestrationSha } = search;
    if (workspaceId !== undefined) await this.#options.workspaces.get(caller, workspaceId);
    if (orchestrationId !== undefined) await this.#options.orchestrations.get(caller, orchestrationId);
    return this.#list(caller, search.runLimit, {
      workspaceIds: workspaceId === undefined ? undefined : [workspaceId],
      orchestrationIds: orchestrationId === undefined ? undefined : [orchestrationId],
      orchestrationSha,
      withKilled: search.withKilled ?? false,
    });
  }

  /** Of those of the orchestrations that the caller sees. */
  async listOf(caller: Caller, orchestrationIds: readonly string[], withKilled: boolean): Promise<Task[]> {
    if (orchestrationIds.length === 0) return [];
    return this.#list(caller, undefined, { orchestrationIds: orchestrationIds.filter(isUuid), withKilled });
  }

  /** Runs that nobody has claimed end at once; the others are ended by their workers within seconds. */
  async kill(caller: Caller, id: string): Promise<Task> {
    if (!isUuid(id) || !(await this.#options.store.kill(caller.userId, id))) throw notFound('task', id);
    return this.get(caller, id);
  }

  /** A pause keeps new runs from being made; the one that is going on goes on. Slots of the pause are not made up. */
  async setPaused(caller: Caller, id: string, isPaused: boolean): Promise<Task> {
    const { store } = this.#options;
    const task = await this.get(caller, id);
    if (task.kind === 'once') throw new DomainError('conflict', 'A task that runs once cannot be paused; kill it.');
    if (task.isKilled) throw new DomainError('conflict', 'The task was killed; start a new one.');
    const change = isPaused
      ? { isPaused: true as const }
      : { isPaused: false as const, nextRunAt: nextSlot(task, await store.now()) };
    if (!(await store.setPaused(caller.userId, id, change))) throw new DomainError('conflict', 'The task was killed.');
    return this.get(caller, id);
  }

  /** When a schedule would be due: its next slots from the database's now on. */
  async previewSlots(order: ScheduleOrder, count: number): Promise<Date[]> {
    const now = await this.#options.store.now();
    const schedule = Schedule.parse(order.schedule, order.timeZone ?? 'UTC');
    const slots: Date[] = [];
    for (let slot = schedule.next(now); slot !== null && slots.length < Math.min(count, maxSlots); ) {
      slots.push(slot);
      slot = schedule.next(slot);
    }
    return slots;
  }

  async #list(caller: Caller, runLimit: number | undefined, filter: TaskFilter): Promise<Task[]> {
    return this.#options.store.list(caller.userId, filter, { tasks: maxTasks, runs: toRunLimit(runLimit) });
  }

  async #add(caller: Caller, order: TaskOrder, plan: TaskPlan, hasFirstRun: boolean): Promise<string> {
    const { store, doorbell } = this.#options;
    const orchestration = await this.#requireRunnable(caller, order);
    const id = randomUUID();
    const run = hasFirstRun ? { id: randomUUID(), maxAttempts: plan.maxAttempts, startWithinSeconds } : null;
    const { id: orchestrationId, workspaceId } = orchestration;
    await store.add({ ...plan, id, workspaceId, orchestrationId, name: order.name, createdById: caller.userId }, run);
    if (run !== null) await doorbell.ring('run', run.id);
    return id;
  }

  async #requireRunnable(caller: Caller, { workspaceId, orchestrationId }: TaskOrder): Promise<Orchestration> {
    if (!isRowId(workspaceId)) throw notFound('workspace', workspaceId);
    await this.#options.workspaces.get(caller, workspaceId);
    const orchestration = await this.#options.orchestrations.get(caller, orchestrationId);
    if (orchestration.workspaceId !== workspaceId) throw notFound('orchestration', orchestrationId);
    if (orchestration.status === 'ready') return orchestration;
    const why =
      orchestration.status === 'error'
        ? `could not be packaged: ${orchestration.statusReason ?? 'its build log says why'}`
        : 'is still being packaged; wait until its status is ready';
    throw new DomainError('conflict', `The orchestration ${why}`);
  }
}

type TaskPlan = Omit<NewTask, 'id' | 'workspaceId' | 'orchestrationId' | 'name' | 'createdById'> & CheckedOrder;

const atOnce = {
  schedule: null,
  timeZone: 'UTC',
  overlapPolicy: 'skip',
  missedRunPolicy: 'last',
  nextRunAt: null,
} as const;

function nextSlot(task: Task, now: Date): Date | null {
  return task.schedule === null ? null : Schedule.parse(task.schedule, task.timeZone).next(now);
}

function toRunLimit(limit: number = defaultRunLimit): number {
  return Math.min(Math.max(limit, 0), maxRunLimit);
}
