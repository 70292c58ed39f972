import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { DomainError } from '@pademelon/domain';
import { type PythonStepOptions, prepareStep } from './prepare-step.ts';
import { runStep } from './run-step.ts';

export interface ScriptCheckOptions extends Omit<PythonStepOptions, 'threads' | 'tasks' | 'checkMark'> {
  readonly timeoutMs: number;
  /** Takes what the script prints while it is loaded. */
  readonly onLine: (line: string) => void;
}

/** Loads a script once as pods will. Throws `model_rejected` with what is wrong when it cannot be. */
export async function checkScript(options: ScriptCheckOptions): Promise<void> {
  const { timeoutMs, onLine, folder } = options;
  const mark = `[${randomUUID()}]`;
  let told: string | null = null;
  try {
    const launch = prepareStep({ ...options, threads: 1, tasks: 256, checkMark: mark });
    const { exitCode, isLate } = await runStep({
      ...launch,
      timeoutMs,
      onLine: (line) => {
        if (line.startsWith(mark)) told = line.slice(mark.length).trim();
        else onLine(line);
      },
    });
    if (told !== null) throw new DomainError('model_rejected', `The script cannot be loaded: ${told}`);
    if (isLate) throw new DomainError('model_rejected', `The script was not loaded within ${timeoutMs / 1_000} s.`);
    if (exitCode !== 0) {
      throw new DomainError(
        'model_rejected',
        `The script cannot be loaded: its process ended with status ${exitCode}.`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
