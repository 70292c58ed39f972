import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export type HistoryWord = 'START' | 'BEAT' | 'END';

/** Something that the code of a run said of itself. */
export interface HistoryEntry {
  readonly word: HistoryWord;
  readonly runId: string;
  readonly attempt: number;
  /** The name that the order gave to the run. */
  readonly label: string;
  /** When it was said, by this machine's clock, which is the database's too. A frozen worker passes it on later. */
  readonly atMs: number;
}

/**
 * Where the code of runs tells what it does: lines `<word> <time> <run id> <attempt> <label>`, each answered, so that the code
 * goes on only when its line is here. Nothing that was said can be lost with the platform.
 */
export class History {
  readonly entries: HistoryEntry[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #unanswered = new Map<string, (() => void)[]>();

  static async open(): Promise<History> {
    const server = createServer();
    const history = new History(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return history;
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
      createInterface({ input: socket })
        .on('line', (line) => this.#hear(line, socket))
        // Readers repeat the errors of what they read.
        .on('error', () => undefined);
    });
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  of(label: string, word: HistoryWord): HistoryEntry[] {
    return this.entries.filter((entry) => entry.label === label && entry.word === word);
  }

  /** The code named so waits after it has said `word`, until the returned function is called. */
  hold(label: string, word: HistoryWord): () => void {
    const key = `${label} ${word}`;
    this.#unanswered.set(key, []);
    return () => {
      for (const answer of this.#unanswered.get(key) ?? []) answer();
      this.#unanswered.delete(key);
    };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #hear(line: string, socket: Socket): void {
    const [word, atMs, runId, attempt, label] = line.split(' ') as [HistoryWord, string, string, string, string];
    this.entries.push({ word, runId, attempt: Number(attempt), label, atMs: Number(atMs) });
    const answer = (): void => void socket.write('heard\n');
    const waiting = this.#unanswered.get(`${label} ${word}`);
    if (waiting === undefined) answer();
    else waiting.push(answer);
  }
}
