import type { RunConnection, RunSurroundings } from '@pademelon/domain';
import { SecretMask, secretsIn } from '@pademelon/workbench';

/**
 * What must not stand in the log of a run: the details of the connections that were linked to its workspace at its start,
 * and of every other that its code was given since, by whatever right. The API records what it gives before it gives it,
 * so that whoever has output of the code and looks then knows everything that may be in it.
 */
export class RunSecrets {
  readonly mask: SecretMask;
  readonly #listHandedOut: (known: readonly string[]) => ReturnType<RunSurroundings['listHandedOut']>;
  readonly #known: string[] = [];
  #areAllKnown = true;

  constructor(options: {
    readonly linked: readonly RunConnection[];
    readonly listHandedOut: (known: readonly string[]) => ReturnType<RunSurroundings['listHandedOut']>;
  }) {
    this.mask = new SecretMask(options.linked.flatMap(({ details }) => secretsIn(details)));
    this.#listHandedOut = options.listHandedOut;
  }

  /** Resolves to whether the mask hides everything that the code has been given; once it does not, it never will. */
  async refresh(): Promise<boolean> {
    for (const { connectionId, details } of await this.#listHandedOut(this.#known)) {
      this.#known.push(connectionId);
      if (details === null) this.#areAllKnown = false;
      else this.mask.add(secretsIn(details));
    }
    return this.#areAllKnown;
  }
}
