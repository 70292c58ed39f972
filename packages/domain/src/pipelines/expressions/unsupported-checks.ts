import { DomainError } from '../../domain-error.ts';
import type { InstrumentTree } from './instrument-tree.ts';
import { parseCheck } from './parse-check.ts';

/** What of the texts of a Check step cannot be served, one sentence each. `models` are the names of those that answer. */
export function unsupportedChecks(tree: readonly string[], models: ReadonlySet<string>): string[] {
  return tree.flatMap((text) => {
    try {
      return parseCheck(text).flatMap((check) => {
        const strangers = check.form === 'instrument' ? modelsRead(check.tree).filter((name) => !models.has(name)) : [];
        return strangers.map(
          (name) =>
            `The check ${JSON.stringify(check.name)} reads the model ${JSON.stringify(name)}, which the pipeline does not answer with.`,
        );
      });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return [error.message];
    }
  });
}

function modelsRead(tree: InstrumentTree): string[] {
  switch (tree.kind) {
    case 'variable':
      return [tree.model];
    case 'abs':
      return modelsRead(tree.input);
    case 'binary':
      return [...modelsRead(tree.left), ...modelsRead(tree.right)];
    default:
      return [];
  }
}
