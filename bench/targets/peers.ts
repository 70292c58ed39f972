import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { findFreePort } from '../../packages/runtime/src/ports.ts';
import { descendants } from '../../scripts/process-tree.ts';
import {
  ensurePythonEnvironment,
  type PythonEnvironmentSpec,
  PythonMissing,
  pythonProcessEnvironment,
} from '../../scripts/python-environment.ts';
import { openInferenceForm, type RequestForm, rowsForm } from '../request-form.ts';
import { type Target, TargetUnavailable } from '../target.ts';
import { firstAnswer } from './first-answer.ts';
import { treeMemoryBytes } from './tree-memory.ts';

interface Peer {
  readonly name: string;
  /** The script in `peers/`; started with the model's path and a port. */
  readonly script: string;
  readonly path: string;
  readonly form: RequestForm;
  readonly requirement: string;
}

const openInferencePath = '/v2/models/peer/infer';

/**
 * Model servers that a user could pick instead, each with two workers where it has workers, giving predictions alone.
 * Triton's core with its Python backend (nvidia-pytriton 0.7.0) is not among them: it did not start on our machine.
 */
export const peers: readonly Peer[] = [
  {
    name: 'MLServer',
    script: 'mlserver_server.py',
    path: openInferencePath,
    form: openInferenceForm,
    requirement: 'mlserver==1.7.1',
  },
  {
    name: 'KServe',
    script: 'kserve_server.py',
    path: openInferencePath,
    form: openInferenceForm,
    requirement: 'kserve==0.21.0',
  },
  {
    name: 'LitServe',
    script: 'litserve_server.py',
    path: '/predict',
    form: rowsForm('instances'),
    requirement: 'litserve==0.2.19',
  },
  {
    name: 'BentoML',
    script: 'bentoml_server.py',
    path: '/predict',
    form: rowsForm('instances'),
    requirement: 'bentoml==1.4.39',
  },
  {
    name: 'MLflow',
    script: 'mlflow_server.py',
    path: '/invocations',
    form: rowsForm('inputs'),
    requirement: 'mlflow==3.17.2',
  },
  {
    name: 'Ray Serve',
    script: 'ray_server.py',
    path: '/predict',
    form: rowsForm('instances'),
    requirement: 'ray[serve]==2.60.0',
  },
];

export function peerTarget({ name, script, path, form, requirement }: Peer): Target {
  const environment: PythonEnvironmentSpec = {
    name: `peer-${name.toLowerCase().replaceAll(' ', '-')}`,
    python: '3.11',
    requirements: [requirement, 'onnxruntime==1.30.0'],
  };
  return {
    name,
    async start(modelPath) {
      const python = await ensurePythonEnvironment(environment).catch((error: Error) => {
        const reason = error instanceof PythonMissing ? error.message : error.message.split('\n').at(-1);
        throw new TargetUnavailable(reason);
      });
      const port = await findFreePort();
      const startedAt = performance.now();
      const server = spawn(python, [script, modelPath, String(port)], {
        cwd: join(import.meta.dirname, '../peers'),
        stdio: 'ignore',
        env: pythonProcessEnvironment(),
      });
      const url = `http://127.0.0.1:${port}${path}`;
      const stop = async (): Promise<void> => {
        // Some leave their workers behind when they are ended.
        const all = descendants(server.pid!).map(({ pid }) => pid);
        server.kill('SIGTERM');
        if (server.exitCode === null) await Promise.race([once(server, 'exit'), timeout(10_000)]);
        for (const pid of [server.pid!, ...all]) endProcess(pid);
      };
      try {
        await firstAnswer(url, {}, form);
      } catch (error) {
        await stop();
        throw new TargetUnavailable(`it did not start: ${(error as Error).message}`);
      }
      return {
        urls: [url],
        headers: {},
        form,
        startMs: performance.now() - startedAt,
        memoryBytes: () => treeMemoryBytes(server.pid!),
        stop,
      };
    },
  };
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
