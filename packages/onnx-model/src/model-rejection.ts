/** Why a file is not taken, as a sentence for the user. Never leaves this package: it becomes a verdict. */
export class ModelRejection extends Error {
  override readonly name = 'ModelRejection';
}

export function reject(sentence: string): never {
  throw new ModelRejection(sentence);
}
