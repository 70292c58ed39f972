import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import { PgRunStore } from './pg-run-store.ts';

export interface RunTestBench {
  readonly database: TestDatabase;
  readonly store: PgRunStore;
  /** Adds a task with the columns given; resolves to its id. */
  addTask(columns?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Adds a pending run with the columns given; resolves to its id. */
  addRun(taskId: string, columns?: Readonly<Record<string, unknown>>): Promise<string>;
  readRun(id: string): Promise<Record<string, unknown>>;
  /** Makes the lease of a run end in the past. */
  expireLease(id: string): Promise<void>;
  close(): Promise<void>;
}

/** A database with one user in one workspace with one orchestration that is ready, for tests of runs and schedules. */
export async function openRunTestBench(): Promise<RunTestBench> {
  const database = await createTestDatabase();
  const { pool } = database;
  const orchestrationId = randomUUID();
  await pool.query(`INSERT INTO users (id, email, username) VALUES ('ada', 'ada@example.org', 'ada')`);
  await pool.query(`INSERT INTO workspaces (id, name, created_by_id) VALUES (1, 'lab', 'ada')`);
  await pool.query(`INSERT INTO workspace_members (workspace_id, user_id, role) VALUES (1, 'ada', 'OWNER')`);
  await pool.query(
    `INSERT INTO orchestrations (id, workspace_id, file_name, sha, size_bytes, status, created_by_id, updated_at)
     VALUES ($1, 1, 'x.zip', 'sha', 1, 'ready', 'ada', now())`,
    [orchestrationId],
  );
  const insert = async (table: string, columns: Readonly<Record<string, unknown>>): Promise<string> => {
    const names = Object.keys(columns);
    await pool.query(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
      Object.values(columns),
    );
    return columns['id'] as string;
  };
  return {
    database,
    store: new PgRunStore(pool),
    addTask: (columns = {}) =>
      insert('tasks', {
        ...{ id: randomUUID(), workspace_id: 1, orchestration_id: orchestrationId, kind: 'once', status: 'pending' },
        ...{ input_data: '{"a": 1}', timeout_seconds: 60, created_by_id: 'ada', updated_at: new Date() },
        ...columns,
      }),
    addRun: (taskId, columns = {}) =>
      insert('runs', {
        ...{ id: randomUUID(), task_id: taskId, state: 'pending', start_deadline: new Date(Date.now() + 3_600_000) },
        ...{ updated_at: new Date() },
        ...columns,
      }),
    readRun: async (id) => (await pool.query('SELECT * FROM runs WHERE id = $1', [id])).rows[0],
    expireLease: async (id) => {
      await pool.query(`UPDATE runs SET lease_expires_at = now() - interval '1 second' WHERE id = $1`, [id]);
    },
    close: () => database.drop(),
  };
}
