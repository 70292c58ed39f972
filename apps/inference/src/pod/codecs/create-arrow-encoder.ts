import { answerFields } from '../answer-fields.ts';
import type { ArrowEncoder } from './arrow-encoder.ts';
import { ArrowTemplate } from './arrow-template.ts';
import { arrowChildren, encodeArrow } from './arrow-write.ts';

const maxTemplates = 16;
/** Larger answers are encoded anew: keeping them costs more memory than it saves time. */
const maxTemplateBytes = 2 * 1024 * 1024;

interface KnownTemplate {
  readonly plan: object;
  readonly key: string;
  readonly template: ArrowTemplate;
}

/** An encoder that remembers how its last answers looked. */
export function createArrowEncoder(): ArrowEncoder {
  /** Oldest first. */
  const known: KnownTemplate[] = [];

  return {
    write(writer, data, plan) {
      const { separator } = plan.dataset;
      const fields = answerFields(plan.dataset, plan.generation, data);
      const key = separator === null ? null : ArrowTemplate.key(fields, data);
      if (key === null || separator === null) {
        const children = arrowChildren(fields, data);
        writer.copy(Buffer.from(encodeArrow(fields, children, { rowCount: data.batch.rowCount, separator })));
        return;
      }
      let template = known.find((candidate) => candidate.plan === plan && candidate.key === key)?.template;
      if (template === undefined) {
        template = ArrowTemplate.make(fields, data, separator);
        if (template.sizeBytes <= maxTemplateBytes) known.push({ plan, key, template });
        if (known.length > maxTemplates) known.shift();
      }
      template.write(writer, data);
    },
  };
}
