import type { Pool } from '@pademelon/database/sql';

/** Moves of a run that can be held up, in the order in which they come. */
export const gateNames = ['claim', 'start', 'log', 'finish'] as const;
export type GateName = (typeof gateNames)[number];

/** Names this suite among the advisory locks. */
const lockClass = 4_711;

/**
 * Holds a worker at the very moment of a write: a trigger makes the database wait, in the middle of the statement, for
 * a lock that the test has. What a worker had sent when it was killed is carried out all the same once the gate opens,
 * and nobody is there for the answer. Only runs whose arguments name a gate wait at it.
 */
export async function installGates(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE SCHEMA chaos;
    CREATE FUNCTION chaos.wait_at(gate_name text, task uuid) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM public.tasks WHERE id = task AND input_data->>'gate' = gate_name) THEN
        PERFORM pg_advisory_xact_lock_shared(${lockClass},
          array_position(ARRAY['${gateNames.join("', '")}'], gate_name));
      END IF;
    END $$;
    CREATE FUNCTION chaos.on_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.state = 'pending' AND NEW.state = 'claimed' THEN PERFORM chaos.wait_at('claim', NEW.task_id);
      ELSIF OLD.state = 'claimed' AND NEW.state = 'running' THEN PERFORM chaos.wait_at('start', NEW.task_id);
      ELSIF OLD.state = 'running' AND NEW.finished_at IS NOT NULL THEN PERFORM chaos.wait_at('finish', NEW.task_id);
      END IF;
      RETURN NEW;
    END $$;
    CREATE FUNCTION chaos.on_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM chaos.wait_at('log', (SELECT task_id FROM public.runs WHERE id = NEW.run_id));
      RETURN NEW;
    END $$;
    CREATE TRIGGER chaos BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION chaos.on_move();
    CREATE TRIGGER chaos BEFORE INSERT ON run_log_chunks FOR EACH ROW EXECUTE FUNCTION chaos.on_log();`);
}

export interface ClosedGates {
  /** Gates at which a statement waits now. */
  waiting(): Promise<GateName[]>;
  /** Lets through what waits and what comes later. */
  open(): Promise<void>;
}

/** From now on runs that name these gates wait at them. */
export async function closeGates(pool: Pool, names: readonly GateName[] = gateNames): Promise<ClosedGates> {
  const client = await pool.connect();
  // A test that fails leaves its gates closed, and the server goes before the client.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  const numberOf = (name: GateName): number => gateNames.indexOf(name) + 1;
  for (const name of names) await client.query('SELECT pg_advisory_lock($1, $2)', [lockClass, numberOf(name)]);
  return {
    waiting: async () => {
      const { rows } = await client.query<{ objid: number }>(
        `SELECT DISTINCT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND NOT granted`,
        [lockClass],
      );
      return gateNames.filter((name) => rows.some(({ objid }) => objid === numberOf(name)));
    },
    open: async () => {
      await client.query('SELECT pg_advisory_unlock_all()');
      client.off('error', ignore);
      client.release();
    },
  };
}
