import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PgRunStore, type Pool } from '@pademelon/database/sql';
import type { ClaimedRun, RunConnection, RunSurroundings } from '@pademelon/domain';
import { createLogger } from '@pademelon/runtime';
import { buildZip, createTestDatabase } from '@pademelon/testing';
import type { EnvironmentProvider } from '@pademelon/workbench';
import { findInterpreter, probeSandbox, type SandboxStatus } from '@pademelon/workbench';
import { RunExecutor, type RunExecutorOptions } from './run-executor.ts';
import { CodeFolders } from './workbench/code-folders.ts';
import type { RunSettings } from './workbench/run-settings.ts';

const mebibyte = 1024 ** 2;

export const testRunSettings: RunSettings = {
  platformUrl: 'http://127.0.0.1:18080',
  environment: {},
  allowed: [],
  graceMs: 1_000,
  jail: { homeBytes: 64 * mebibyte, temporaryBytes: 64 * mebibyte },
  limits: { memoryBytes: 512 * mebibyte, processes: 128, files: 5_000, logBytes: 8 * mebibyte },
};

/** How a run ended, and what it said. */
export interface EndedRun {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly text: string | null;
  readonly exitCode: number | null;
  readonly sandbox: string | null;
  /** Log lines without time and stream, and the platform's own lines with their mark. */
  readonly lines: readonly string[];
}

export interface RunOrder {
  /** main.py. */
  readonly code: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly input?: unknown;
  readonly leaseMs?: number;
}

export interface ExecutorChoices extends Pick<RunExecutorOptions, 'outside'> {
  readonly settings?: Partial<RunSettings>;
  readonly sandbox?: SandboxStatus;
}

export interface WorkerTestBench {
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly folder: string;
  readonly store: PgRunStore;
  /** Linked to the only workspace. */
  readonly connections: RunConnection[];
  /** Adds a task with a pending run; resolves to the run's id. */
  addRun(order: RunOrder): Promise<string>;
  claim(runId: string, leaseMs?: number): Promise<ClaimedRun>;
  executor(options?: ExecutorChoices & Partial<Pick<RunExecutorOptions, 'surroundings' | 'environments'>>): RunExecutor;
  readonly surroundings: RunSurroundings;
  read(runId: string): Promise<EndedRun>;
  /** Adds, claims and executes a run to its end. */
  run(order: RunOrder, options?: ExecutorChoices): Promise<EndedRun>;
  close(): Promise<void>;
}

/**
 * A database, a workspace and everything a worker needs to carry runs out with the system's Python in an environment
 * without packages, so that a run costs a fraction of a second.
 */
export async function openWorkerTestBench(): Promise<WorkerTestBench> {
  const database = await createTestDatabase();
  const { pool } = database;
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-worker-test-'));
  await addWorkspace(pool);
  const store = new PgRunStore(pool);
  const connections: RunConnection[] = [];
  const sandbox = await probeSandbox();
  const shared = await workbenchOf(folder, pool, connections);
  const executor: WorkerTestBench['executor'] = (options = {}) =>
    new RunExecutor({
      ...shared,
      store,
      surroundings: options.surroundings ?? shared.surroundings,
      environments: options.environments ?? shared.environments,
      sandbox: options.sandbox ?? sandbox,
      settings: { ...testRunSettings, ...options.settings },
      ...(options.outside === undefined ? {} : { outside: options.outside }),
    });
  const bench: WorkerTestBench = {
    ...{ pool, folder, store, connections, surroundings: shared.surroundings, executor },
    databaseUrl: database.url,
    addRun: (order) => addRun(pool, folder, order),
    claim: async (runId, leaseMs = 30_000) => {
      const claimed = await store.claim(runId, 'test worker', leaseMs);
      if (claimed === null) throw new Error(`The run ${runId} could not be claimed.`);
      return claimed;
    },
    read: (runId) => readRun(pool, runId),
    run: async (order, options) => {
      const claimed = await bench.claim(await bench.addRun(order), order.leaseMs);
      await executor(options).execute(claimed);
      return bench.read(claimed.runId);
    },
    close: async () => {
      await database.drop();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
  return bench;
}

/** What an executor takes besides store, sandbox and settings. */
export async function workbenchOf(folder: string, pool: Pool, connections: readonly RunConnection[]) {
  const environment = await bareEnvironment(folder);
  const surroundings: RunSurroundings = {
    findCode: async (id) => (await pool.query('SELECT sha FROM orchestrations WHERE id = $1', [id])).rows[0] ?? null,
    listConnections: async () => connections,
    listHandedOut: async () => [],
    issueToken: async ({ userId, lifeMs }) => ({
      accessToken: 'token-of-the-run',
      userId,
      email: 'ada@example.org',
      expiresAtMs: Date.now() + lifeMs,
    }),
  };
  return {
    surroundings,
    environments: async () => environment,
    code: new CodeFolders(join(folder, 'code')),
    fetchZip: async (sha: string) => join(folder, `${sha}.zip`),
    folder: join(folder, 'runs'),
    logger: createLogger('worker-test', 'silent'),
  };
}

/** Made once in the folder, by the interpreter's own venv. */
async function bareEnvironment(folder: string): Promise<EnvironmentProvider> {
  const interpreter = await findInterpreter(['3.11', '3.12', '3.10', '3.13', '3.9'], process.env);
  if (interpreter === null) throw new Error('These tests need a Python from 3.9 on; on Debian: apt install python3.');
  const place = join(folder, 'environment');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(place)) execFileSync(interpreter.path, ['-m', 'venv', '--without-pip', place]);
  return { ensure: async () => ({ hash: 'bare', folder: place, interpreter, cacheFolder: null }) };
}

async function addWorkspace(pool: Pool): Promise<void> {
  await pool.query(`INSERT INTO users (id, email, username) VALUES ('ada', 'ada@example.org', 'ada')`);
  await pool.query(`INSERT INTO workspaces (id, name, created_by_id) VALUES (1, 'lab', 'ada')`);
  await pool.query(`INSERT INTO workspace_members (workspace_id, user_id, role) VALUES (1, 'ada', 'OWNER')`);
}

async function addRun(pool: Pool, folder: string, order: RunOrder): Promise<string> {
  const files = { 'main.py': order.code, ...order.files };
  const zip = buildZip(Object.entries(files).map(([name, content]) => ({ name, content })));
  const sha = createHash('sha256').update(zip).digest('hex');
  writeFileSync(join(folder, `${sha}.zip`), zip);
  const [orchestrationId, taskId, runId] = [randomUUID(), randomUUID(), randomUUID()];
  await pool.query(
    `INSERT INTO orchestrations (id, workspace_id, file_name, sha, size_bytes, status, created_by_id)
     VALUES ($1, 1, 'x.zip', $2, $3, 'ready', 'ada')`,
    [orchestrationId, sha, zip.length],
  );
  await pool.query(
    `INSERT INTO tasks (id, workspace_id, orchestration_id, kind, status, input_data, timeout_seconds, created_by_id)
     VALUES ($1, 1, $2, 'once', 'pending', $3, $4, 'ada')`,
    [taskId, orchestrationId, JSON.stringify(order.input ?? {}), order.timeoutSeconds ?? 60],
  );
  await pool.query(
    `INSERT INTO runs (id, task_id, state, start_deadline) VALUES ($1, $2, 'pending', now() + interval '1 hour')`,
    [runId, taskId],
  );
  return runId;
}

async function readRun(pool: Pool, runId: string): Promise<EndedRun> {
  const { rows } = await pool.query('SELECT * FROM runs WHERE id = $1', [runId]);
  const chunks = await pool.query('SELECT text FROM run_log_chunks WHERE run_id = $1 ORDER BY first_line', [runId]);
  const text = chunks.rows.map((row) => row.text as string).join('');
  const [row] = rows;
  return {
    id: runId,
    state: row.state,
    reason: row.reason,
    text: row.reason_text,
    exitCode: row.exit_code,
    sandbox: row.sandbox,
    lines: text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').slice(3).join(' ')),
  };
}

/**
 * Why this machine has no jail for runs, for tests of what only a jail promises; null where it has one, and in CI, where
 * they must not be skipped.
 */
export async function whyNoJail(): Promise<string | null> {
  const { level, warning } = await probeSandbox();
  return level === 'jail' || process.env['CI'] ? null : (warning ?? 'there is no jail');
}

/** Ids of the processes of this machine whose command line has the mark in it. */
export function processesWith(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes(mark));
}

/** The words of a command with spaces between them; empty for a process that has just gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export function isChildOf(pid: number, parent: number): boolean {
  return readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${parent}\n`);
}
