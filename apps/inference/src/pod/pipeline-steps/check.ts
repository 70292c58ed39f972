import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { type ParsedCheck, parseCheck } from '@pademelon/domain/expressions';
import { acceptedNames } from '../bind-inputs.ts';
import type { Check, CheckedRows } from '../expressions/checked-rows.ts';
import { InstrumentCheck } from '../expressions/instrument-check.ts';
import { PolarsCheck } from '../expressions/polars-check.ts';
import type { ModelRegistry } from '../model-registry.ts';
import type { CheckResult, Flow, StepContext, StepFactory } from './pipeline-step.ts';

/** Validations of both SDK generations, on the request's columns and on what the step before left. */
export const check: StepFactory<'Check'> = ({ tree }, context) => {
  const parsed = tree.flatMap(parseCheck);
  const checks = parsed.map((each) => makeCheck(each, context));
  return {
    hints: null,
    checkNames: checks.map(({ name }) => name),
    isRowWise: true,
    readsModelRuns: parsed.some(({ form }) => form === 'instrument'),
    run(flow) {
      const rows = checkedRows(flow);
      const results = checks.map(
        (each): CheckResult => ({
          name: each.name,
          failures: each.run(rows),
          ...(each.text === undefined ? {} : { text: each.text }),
        }),
      );
      return { ...flow, checks: [...flow.checks, ...results] };
    },
  };
};

function makeCheck(parsed: ParsedCheck, context: StepContext): Check {
  if (parsed.form === 'instrument') {
    return new InstrumentCheck(parsed.name, parsed.tree, (model, index, columns) =>
      findInput(context.registry, { model, index }, columns),
    );
  }
  const polars = new PolarsCheck(parsed.name, parsed.expression);
  requireOutputs(polars, context);
  return polars;
}

/** An output that no model has would fail every request, so it fails the deployment. What scripts give is not known. */
function requireOutputs({ name, references }: PolarsCheck, { registry, script, modelsBefore, at }: StepContext): void {
  if (modelsBefore.some((model) => script(model) !== null)) return;
  const models = modelsBefore.map((model) => registry.find(model.name, model.version));
  const outputs = new Set(models.flatMap((model) => model.session.signature.outputs.map((output) => output.name)));
  const stranger = references.find((reference) => reference.group === 'out' && !outputs.has(reference.name));
  if (stranger === undefined) return;
  const known = [...outputs].map((output) => `out.${output}`).join(', ');
  throw new DomainError(
    'model_rejected',
    `${at}: the check ${JSON.stringify(name)} reads ${JSON.stringify(stranger.path)}; the models have ${known}.`,
  );
}

/** As the model finds its input itself: by its names, and by position where another's outputs come in or to scripts. */
function findInput(
  registry: ModelRegistry,
  { model: name, index }: { model: string; index: number },
  columns: readonly Column[],
): Column | undefined {
  const model = [...registry.models].find((candidate) => candidate.name === name);
  if (model === undefined) return columns[index];
  if (index >= model.session.signature.inputs.length) return undefined;
  for (const accepted of acceptedNames(model, index)) {
    const column = columns.find((candidate) => candidate.name === accepted);
    if (column !== undefined) return column;
  }
  return columns[index];
}

function checkedRows({ rowCount, columns, request = [], modelRuns = [] }: Flow): CheckedRows {
  return { rowCount, inputs: request, outputs: columns, runs: modelRuns };
}
