import { once } from 'node:events';
import { waitUntil } from '@pademelon/testing';

/** Where Node.js lets a debugger in when it is told SIGUSR1. */
const debuggers = 'http://127.0.0.1:9229/json/list';

/**
 * Makes any Node.js process collect all of its garbage, so that it holds what it needs: a heap that may grow far before its
 * first collection tells nothing of leaks. For one process at a time.
 */
export async function collectGarbage(pid: number): Promise<void> {
  process.kill(pid, 'SIGUSR1');
  const url = await waitUntil(`process ${pid} lets a debugger in`, async () => {
    const answer = await fetch(debuggers).catch(() => null);
    const [target] = answer === null ? [] : ((await answer.json()) as { webSocketDebuggerUrl: string }[]);
    return target?.webSocketDebuggerUrl;
  });
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const call = async (method: string, params: object = {}): Promise<{ result?: { value?: unknown } }> => {
    socket.send(JSON.stringify({ id: 1, method, params }));
    const [{ data }] = await once(socket, 'message');
    return JSON.parse(data).result;
  };
  const { result } = await call('Runtime.evaluate', { expression: 'process.pid' });
  if (result?.value !== pid) throw new Error(`The debugger of process ${result?.value} answers in place of ${pid}'s.`);
  // What finalizers let go of in the first is garbage for the second.
  for (let round = 0; round < 2; round++) await call('HeapProfiler.collectGarbage');
  const closed = once(socket, 'close');
  const expression = `setTimeout(() => process.getBuiltinModule('node:inspector').close(), 50)`;
  await call('Runtime.evaluate', { expression });
  await closed;
}
