import type { AnswerData } from '../answer-fields.ts';
import type { RequestPlan } from '../request-plan.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Writes Arrow IPC files. Its module brings a large library with it, so pods load it when first asked for Arrow. */
export interface ArrowEncoder {
  write(writer: ByteWriter, data: AnswerData, plan: Pick<RequestPlan, 'dataset' | 'generation'>): void;
}
