import { DomainError } from '../domain-error.ts';

/** Both rules of the SDKs at once: `require_dns_compliance`, and lower case as their pipeline builder wants it. */
const pattern = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Throws `invalid_input` for a name that cannot be part of an inference URL. `what`: "pipeline", "deployment". */
export function requirePipelineName(what: string, name: string): void {
  if (pattern.test(name)) return;
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  throw new DomainError(
    'invalid_input',
    `${JSON.stringify(shown)} cannot be the name of a ${what}: use 1 to 63 lower-case letters, digits and dashes, ` +
      'beginning with a letter and not ending with a dash.',
  );
}
