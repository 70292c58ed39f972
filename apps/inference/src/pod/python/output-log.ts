import { StringDecoder } from 'node:string_decoder';

const maxLineLength = 4_096;
const windowMs = 10_000;

export interface OutputLogOptions {
  /** Takes one line, without its end. */
  readonly write: (line: string) => void;
  /** Milliseconds, on any clock that does not go back. */
  readonly now: () => number;
  readonly linesPerWindow?: number;
}

/** What a script prints, as lines for the pod's log: long ones are cut, and of a flood only the beginning is kept. */
export class OutputLog {
  readonly #options: OutputLogOptions;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #windowStart = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #left = 0;

  constructor(options: OutputLogOptions) {
    this.#options = options;
  }

  push(bytes: Buffer): void {
    const pieces = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = pieces.pop()!;
    for (const piece of pieces) this.#write(piece);
    if (this.#rest.length > maxLineLength) {
      this.#write(this.#rest);
      this.#rest = '';
    }
  }

  /** Writes what has no line end. */
  end(): void {
    if (this.#rest !== '') this.#write(this.#rest);
    this.#rest = '';
    this.#tellLeft();
  }

  #write(line: string): void {
    const now = this.#options.now();
    if (now - this.#windowStart >= windowMs) {
      this.#tellLeft();
      this.#windowStart = now;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines > (this.#options.linesPerWindow ?? 1_000)) this.#left += 1;
    else this.#options.write(line.replace(/\r$/, '').slice(0, maxLineLength));
  }

  #tellLeft(): void {
    if (this.#left > 0) this.#options.write(`(${this.#left} more lines were left out)`);
    this.#left = 0;
  }
}
