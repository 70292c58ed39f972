import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';

export interface ServiceOptions {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Resolves to whether it can be used; asked until it can. `output` is what this start of it has written. */
  readonly isReady: (output: string) => Promise<boolean> | boolean;
}

const readyWithinMs = 60_000;

/** One process that a test starts, freezes, kills and starts again. */
export class Service {
  readonly #options: ServiceOptions;
  #child: ChildProcess | null = null;
  #output = '';

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Resolves when it can be used. */
  async start(): Promise<void> {
    const { name, command, environment, logFile, isReady } = this.#options;
    const [program, ...args] = command;
    this.#output = '';
    const child = spawn(program, args, { env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        appendFileSync(logFile, text);
      });
    }
    const deadlineAt = performance.now() + readyWithinMs;
    while (!(await isReady(this.#output))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadlineAt) {
        throw new Error(`${name} did not start; it wrote:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** SIGSTOP: it does nothing any more, and knows nothing of it. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** SIGKILL; resolves when it is gone, with all that it has written. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** SIGTERM; resolves when it has ended in order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** The errors, and the end, of everything it has written through all its lives. */
  tail(): string {
    const all = readFileSync(this.#options.logFile, 'utf8').split('\n');
    const lines = all.filter((line, at) => line.includes('"level":50') || at >= all.length - 40);
    return lines.map((line) => line.slice(0, 600)).join('\n');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    // Not before its last words are written down: the folder of the log may be deleted next.
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
}
