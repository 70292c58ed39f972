import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { findFreePort } from '../../packages/runtime/src/ports.ts';
import { ensurePythonEnvironment, PythonMissing, pythonProcessEnvironment } from '../../scripts/python-environment.ts';
import { fastApiEnvironment } from '../../scripts/python-environments.ts';
import { type Target, TargetUnavailable } from '../target.ts';
import { firstAnswer } from './first-answer.ts';
import { treeMemoryBytes } from './tree-memory.ts';

/** FastAPI at its best: two uvicorn workers with uvloop and httptools; optionally without Python's cyclic collector. */
export function fastApiTarget(options: { readonly isGcOff: boolean }): Target {
  return {
    name: options.isGcOff ? 'FastAPI, gc off' : 'FastAPI',
    async start(modelPath) {
      const python = await ensurePythonEnvironment(fastApiEnvironment).catch((error: unknown) => {
        throw error instanceof PythonMissing ? new TargetUnavailable(error.message) : error;
      });
      const port = await findFreePort();
      const arguments_ = ['fastapi_server.py', modelPath, String(port), ...(options.isGcOff ? ['gc-off'] : [])];
      const startedAt = performance.now();
      const server = spawn(python, arguments_, {
        cwd: join(import.meta.dirname, '../peers'),
        stdio: ['ignore', 'inherit', 'inherit'],
        env: pythonProcessEnvironment(),
      });
      const url = `http://127.0.0.1:${port}/infer`;
      await firstAnswer(url, {});
      return {
        urls: [url],
        headers: {},
        startMs: performance.now() - startedAt,
        memoryBytes: () => treeMemoryBytes(server.pid!),
        async stop() {
          server.kill('SIGTERM');
          if (server.exitCode === null) await once(server, 'exit');
        },
      };
    },
  };
}
