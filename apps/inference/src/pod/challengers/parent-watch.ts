import { isMainThread, workerData } from 'node:worker_threads';

/*
 * A thread beside a challenger's own, which its model may block for ever: when the pod is gone, nobody else would end
 * the process.
 */

const lookMs = 500;

if (!isMainThread) {
  const look = (): void => {
    // The pod may have gone before this thread began, so its id is what the pod itself said.
    if (process.ppid !== (workerData as number)) process.kill(process.pid, 'SIGKILL');
  };
  look();
  setInterval(look, lookMs);
}
