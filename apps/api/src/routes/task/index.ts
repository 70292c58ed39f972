import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { getTaskById } from './get-by-id.ts';
import { getLogsForRun } from './get-logs-for-run.ts';
import { getRunDetails } from './get-run-details.ts';
import { getTasksByOrchSha } from './get-tasks-by-orch-sha.ts';
import { killTask } from './kill.ts';
import { listTasks } from './list.ts';
import { listTaskRuns } from './list-task-runs.ts';
import { pauseTask } from './pause.ts';
import { previewSchedule } from './preview-schedule.ts';
import { runContinuously } from './run-continuously.ts';
import { runOnce } from './run-once.ts';
import { runScheduled } from './run-scheduled.ts';
import { streamRunLog } from './stream-run-log.ts';

export function taskRoutes(app: Api, services: Services): void {
  runOnce(app, services);
  runScheduled(app, services);
  runContinuously(app, services);
  getTaskById(app, services);
  listTasks(app, services);
  getTasksByOrchSha(app, services);
  killTask(app, services);
  pauseTask(app, services);
  previewSchedule(app, services);
  listTaskRuns(app, services);
  getRunDetails(app, services);
  getLogsForRun(app, services);
  streamRunLog(app, services);
}
