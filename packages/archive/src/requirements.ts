import { DomainError } from '@pademelon/domain';

/** One line of a requirements.txt that may be installed. */
export interface Requirement {
  /** Normalised project name (PEP 503). */
  readonly name: string;
  /** The line without comment. */
  readonly line: string;
}

export interface ReadRequirements {
  readonly requirements: readonly Requirement[];
  /** Sentences for the build log about lines that were left out. */
  readonly notes: readonly string[];
}

/** Packages of the base set, whose versions the operator decides and an orchestration cannot replace. */
const baseNames = new Set(['wallaroo']);

const maxLines = 500;

/**
 * Reads a requirements.txt: names with versions, extras and markers. What would install from anywhere but the
 * configured index (options, links, paths, version control) is refused with the line, because the code behind it would
 * be nobody's; hashes are kept.
 */
export function readRequirements(text: string): ReadRequirements {
  const lines = joinContinuations(text).map((line) => line.replace(/(^|\s)#.*$/, '').trim());
  if (lines.length > maxLines) throw refused(`more than ${maxLines} lines`, '');
  const requirements: Requirement[] = [];
  const notes: string[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const requirement = readLine(line);
    if (baseNames.has(requirement.name)) {
      notes.push(`${JSON.stringify(line)} is left out: the platform supplies ${requirement.name}.`);
    } else {
      requirements.push(requirement);
    }
  }
  return { requirements, notes };
}

function joinContinuations(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/);
}

function readLine(line: string): Requirement {
  if (line.startsWith('-')) throw refused('options are not allowed', line);
  const match = /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[A-Za-z0-9,._\s-]*\])?\s*(.*)$/.exec(line);
  const rest = match?.[4] ?? '';
  if (match === null || rest.startsWith('@') || /:\/\/|[\\/]/.test(line.replace(/--hash=\S+/g, ''))) {
    throw refused('only names of packages with versions are installed, no links and no paths', line);
  }
  const [specifier = ''] = rest.split(';');
  const withoutHashes = specifier.replace(/--hash=sha(256|384|512):[0-9a-f]+/g, '').trim();
  if (
    withoutHashes !== '' &&
    !/^\(?\s*((===|~=|==|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+\s*,?\s*)+\)?$/.test(withoutHashes)
  ) {
    throw refused('it is not understood', line);
  }
  return { name: (match[1] as string).toLowerCase().replace(/[-_.]+/g, '-'), line };
}

function refused(why: string, line: string): DomainError {
  const shown = line === '' ? '' : ` at ${JSON.stringify(line.slice(0, 120))}`;
  return new DomainError('invalid_archive', `requirements.txt is refused${shown}: ${why}.`);
}
