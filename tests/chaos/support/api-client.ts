import { setTimeout as delay } from 'node:timers/promises';

export interface ApiAnswer {
  /** 0 when the connection broke before the answer. */
  readonly status: number;
  readonly text: string;
}

/** Calls of the API as the platform's only user; never throws for an answer or for the want of one. */
export class ApiClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async send(path: string, body: FormData | object): Promise<ApiAnswer> {
    const isForm = body instanceof FormData;
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method: 'POST',
        body: isForm ? body : JSON.stringify(body),
        headers: isForm ? {} : { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(30_000),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { status: 0, text: String(error) };
    }
  }

  /** The JSON of an answer that must be a good one. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read as a script would read them, without types.
  async call(path: string, body: FormData | object): Promise<any> {
    const answer = await this.send(path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${path} was answered ${answer.status}: ${answer.text}`);
    }
    return answer.text === '' ? undefined : JSON.parse(answer.text);
  }

  /** Uploads a zip and waits until it is packaged; resolves to the orchestration's id. */
  async addOrchestration(workspaceId: number, name: string, zip: Buffer): Promise<string> {
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(zip)]), `${name}.zip`);
    form.set('metadata', JSON.stringify({ workspace_id: workspaceId, name }));
    const { id } = await this.call('/v1/api/orchestration/upload', form);
    for (;;) {
      const { status, status_reason: reason } = await this.call('/v1/api/orchestration/get_by_id', { id });
      if (status === 'ready') return id;
      if (status === 'error') throw new Error(`The orchestration ${name} could not be packaged: ${reason}`);
      await delay(100);
    }
  }
}
