import { randomUUID } from 'node:crypto';
import type { ApiAnswer } from './api-client.ts';
import type { CodeOrder } from './recorded-code.ts';
import type { Stack } from './stack.ts';

export interface RunOrder extends Partial<CodeOrder> {
  readonly orchestration?: keyof Stack['orchestrations'];
  readonly maxAttempts?: number;
}

/** Orders runs of a stack and remembers what the API promised. */
export class Orders {
  /** Tasks that were answered with 201. */
  readonly accepted: string[] = [];
  /** Answers of other kinds: 0 for none at all. */
  readonly refused: ApiAnswer[] = [];
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Asks once; resolves to the task's id, or to null when the API did not promise anything. */
  async ask(order: RunOrder): Promise<string | null> {
    const { client, workspaceId, orchestrations, history } = this.#stack;
    const { orchestration = 'plain', maxAttempts = 1, label = `run-${randomUUID()}`, beats = 3, ...rest } = order;
    const answer = await client.send('/v1/api/task/run_once', {
      orch_id: orchestrations[orchestration],
      workspace_id: workspaceId,
      name: label,
      json: { ...rest, label, beats, history: history.port },
      timeout: 120,
      max_attempts: maxAttempts,
    });
    if (answer.status !== 201) {
      this.refused.push(answer);
      return null;
    }
    const { id } = JSON.parse(answer.text);
    this.accepted.push(id);
    return id;
  }

  /** As `ask`, where the API has to accept. */
  async add(order: RunOrder): Promise<string> {
    const id = await this.ask(order);
    if (id === null) throw new Error(`The order was answered: ${JSON.stringify(this.refused.at(-1))}`);
    return id;
  }
}
