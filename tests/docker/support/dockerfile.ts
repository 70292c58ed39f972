/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  /** Upper case, such as RUN. */
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** An image or an earlier stage. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile whose stages all have names. */
export function readDockerfile(source: string): Stage[] {
  const lines = source
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const [, base, alias] = name === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(text) ?? []) : [];
    if (base !== undefined && alias !== undefined) stages.push({ name: alias, base, instructions: [] });
    else if (name !== '' && name !== 'FROM' && stages.length > 0) stages.at(-1)!.instructions.push({ name, text });
    else throw new Error(`This line of the Dockerfile is not understood: ${line}`);
  }
  return stages;
}
