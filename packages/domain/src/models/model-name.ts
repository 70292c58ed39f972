import { DomainError } from '../domain-error.ts';

/** The SDKs' rule for names that can be part of a host name (`require_dns_compliance`). */
const pattern = /^[a-zA-Z]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;

/** Throws `invalid_input` for a name that the SDKs would not accept either. */
export function requireModelName(name: string): void {
  if (pattern.test(name)) return;
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  throw new DomainError(
    'invalid_input',
    `${JSON.stringify(shown)} cannot be the name of a model: use 1 to 63 letters, digits and dashes, ` +
      'beginning with a letter and not ending with a dash.',
  );
}
