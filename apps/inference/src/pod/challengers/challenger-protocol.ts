import type { Column, PodModel } from '@pademelon/contracts';

/** What a pod and the process of one of its challengers say to each other, over the child process's IPC channel. */
export type PodToChallenger =
  | {
      readonly type: 'load';
      readonly model: PodModel;
      readonly threads: number;
      /** For each input of the answering model the column names that reach it: the challenger gets the same data. */
      readonly inputNames: readonly (readonly string[])[];
    }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly rowCount: number;
      readonly isChained: boolean;
      readonly columns: readonly Column[];
    };

export type ChallengerToPod =
  | { readonly type: 'ready' }
  /** The model cannot be served; `reason` is a sentence for the user. */
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'outputs'; readonly id: number; readonly columns: readonly Column[] }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };
