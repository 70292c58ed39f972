import { DomainError } from '../../domain-error.ts';
import { unsupportedChecks } from '../expressions/unsupported-checks.ts';
import { answeringModels } from './answering-models.ts';
import type { PipelineStep } from './pipeline-step.ts';
import { planSteps } from './plan-steps.ts';

/** Throws `unsupported`, naming each step that cannot be served. */
export function requireServable(steps: readonly PipelineStep[]): void {
  const complaints = unsupportedSteps(steps);
  if (complaints.length > 0) throw new DomainError('unsupported', complaints.join(' '));
}

/** What of a definition the inference pods cannot serve, one sentence each; empty when they can serve all of it. */
export function unsupportedSteps(steps: readonly PipelineStep[]): string[] {
  const plan = planSteps(steps);
  const models = new Set(plan.steps.flatMap(({ step }) => answeringModels(step)).map(({ name }) => name));
  const checks = plan.steps.flatMap(({ at, step }) =>
    step.kind === 'Check' ? unsupportedChecks(step.tree, models).map((complaint) => `${at}: ${complaint}`) : [],
  );
  return [...checks, ...plan.complaints];
}
