/** Values shorter than this are not hidden: they would blot out ordinary words. */
const minSecretLength = 6;

const replacement = '*****';

/**
 * Hides secrets in the lines of a run's log: the values of connection details as they are, and as they look when they
 * are printed through JSON, URL encoding, base64 or hexadecimal; a value of several lines (a private key) line by line.
 */
export class SecretMask {
  readonly #texts = new Set<string>();
  #pattern: RegExp | null = null;
  #longest = 0;

  constructor(secrets: Iterable<string>) {
    this.add(secrets);
  }

  /** Hides more from now on. */
  add(secrets: Iterable<string>): void {
    const before = this.#texts.size;
    for (const secret of secrets) for (const form of formsOf(secret)) this.#texts.add(form);
    if (this.#texts.size === before) return;
    const ordered = [...this.#texts].sort((one, other) => other.length - one.length);
    this.#longest = ordered[0]?.length ?? 0;
    this.#pattern = new RegExp(ordered.map(RegExp.escape).join('|'), 'g');
  }

  /** Length of the longest text that is hidden: where a long line is cut, this much must stay together. */
  get longest(): number {
    return this.#longest;
  }

  apply(line: string): string {
    return this.#pattern === null ? line : line.replace(this.#pattern, replacement);
  }
}

function formsOf(secret: string): string[] {
  const forms = [secret, ...secret.split(/\r?\n/)];
  return forms
    .map((form) => form.trim())
    .filter((form) => form.length >= minSecretLength)
    .flatMap((form) => [
      form,
      JSON.stringify(form).slice(1, -1),
      JSON.stringify(form.replaceAll('"', "'")).slice(1, -1),
      encodeURIComponent(form),
      encodeURIComponent(form).replaceAll('%20', '+'),
      Buffer.from(form).toString('hex'),
      ...base64Forms(form),
    ]);
}

/**
 * How a text looks inside base64 of something longer, which depends on where it begins modulo three bytes: the part
 * that is the same whatever stands around it.
 */
function base64Forms(form: string): string[] {
  const bytes = Buffer.from(form);
  const forms: string[] = [];
  for (const [before, firstStable] of [
    [0, 0],
    [1, 2],
    [2, 3],
  ] as const) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const stable = encoded.slice(firstStable, (before + bytes.length) % 3 === 0 ? undefined : -1);
    if (stable.length >= minSecretLength) forms.push(stable, stable.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

/** Every string anywhere inside connection details that may be a secret; numbers and booleans are none. */
export function secretsIn(details: unknown): string[] {
  if (typeof details === 'string') return [details];
  if (Array.isArray(details)) return details.flatMap(secretsIn);
  if (typeof details === 'object' && details !== null) return Object.values(details).flatMap(secretsIn);
  return [];
}
