import type { Orchestration } from '@pademelon/domain';
import type { RequestContext, Resolvers } from '../request-context.ts';

export const orchestrationResolvers: Resolvers = {
  Query: {
    orchestration_by_pk: (_root: unknown, { id }: { id: string }, { caller, services }: RequestContext) =>
      services.orchestrations.find(caller, id),
  },
  orchestration: {
    owner_id: (orchestration: Orchestration) => orchestration.createdById,
    created_by: (orchestration: Orchestration) => orchestration.createdByEmail,
    file_size: (orchestration: Orchestration) => orchestration.sizeBytes,
  },
};
