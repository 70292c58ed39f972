import { DomainError } from '@pademelon/domain';
import type { Resolvers } from '../request-context.ts';

/** Operations that the SDKs can send and the platform does not have: they are told so in a sentence. */
export const unsupportedResolvers: Resolvers = {
  Mutation: {
    insert_alert_configuration: () => {
      throw new DomainError(
        'unsupported',
        'Alerts are not supported; watch the pipeline with a scheduled task instead.',
      );
    },
    update_assay_by_pk: () => {
      throw new DomainError('unsupported', 'Assays are not supported.');
    },
  },
};
