import type { Column } from '@pademelon/contracts';
import type { Feed, ModelSignature } from './tensor-spec.ts';

/** A loaded model. */
export interface ModelSession {
  readonly signature: ModelSignature;
  /**
   * Runs the model on `rowCount` rows, blocking; `feeds` are in the order of the signature's inputs. Throws a DomainError
   * when the model fails on them.
   */
  run(feeds: readonly Feed[], rowCount: number): Column[];
}
