import type { Column } from '@pademelon/contracts';
import type { ModelRun } from './model-run.ts';
import type { Flow } from './pipeline-step.ts';

/** Notes for each row which model a split chose for it. */
export function markSplit(flow: Flow, models: readonly ModelRun[], choice: number | Int32Array): Flow {
  const { rowCount } = flow;
  const marks =
    typeof choice === 'number'
      ? new Array<string>(rowCount).fill(models[choice]!.splitText)
      : Array.from(choice, (index) => models[index]!.splitText);
  return { ...flow, splitMarks: [...(flow.splitMarks ?? []), marks] };
}

/** The output `_model_split`: of each row a list with one text for each split. */
export function splitColumn(splitMarks: readonly (readonly string[])[]): Column {
  const [first = []] = splitMarks;
  const values = splitMarks.length === 1 ? first : first.flatMap((_, row) => splitMarks.map((marks) => marks[row]!));
  return { name: '_model_split', type: 'utf8', rowShape: [splitMarks.length], values };
}
