/** The arguments `where` of the SDKs' documents: nested objects with `_and` (a list, or one object) and comparisons. */
export type Where = { readonly [key: string]: unknown } | null | undefined;

/**
 * All the conditions of a `where`, by the path to the compared field and the operator: `pipeline.deployment.deployed
 * _eq`. Every condition must hold, so of two lower bounds the later counts, and two different values for one field
 * contradict each other.
 */
export class Conditions {
  readonly #values = new Map<string, unknown>();
  #isContradictory = false;

  constructor(where: Where) {
    this.#collect(where, '');
  }

  /** Whether nothing can match: two values for one field, or a comparison with null. */
  get isContradictory(): boolean {
    return this.#isContradictory;
  }

  equal<T extends string | number | boolean>(path: string): T | undefined {
    return this.#values.get(`${path} _eq`) as T | undefined;
  }

  from(path: string): Date | undefined {
    return this.#values.get(`${path} _gte`) as Date | undefined;
  }

  to(path: string): Date | undefined {
    return this.#values.get(`${path} _lte`) as Date | undefined;
  }

  #collect(where: Where, path: string): void {
    for (const [key, value] of Object.entries(where ?? {})) {
      if (key === '_and') for (const part of value as Where[]) this.#collect(part, path);
      else if (key.startsWith('_')) this.#add(path, key, value);
      else this.#collect(value as Where, path === '' ? key : `${path}.${key}`);
    }
  }

  #add(path: string, operator: string, value: unknown): void {
    const name = `${path} ${operator}`;
    const known = this.#values.get(name);
    if (value === null) this.#isContradictory = true;
    else if (known === undefined) this.#values.set(name, value);
    else if (operator === '_gte') this.#values.set(name, new Date(Math.max(Number(known), Number(value))));
    else if (operator === '_lte') this.#values.set(name, new Date(Math.min(Number(known), Number(value))));
    else if (known !== value) this.#isContradictory = true;
  }
}
