import type { Resolvers } from '../request-context.ts';
import { deploymentResolvers } from './deployments.ts';
import { modelResolvers } from './models.ts';
import { orchestrationResolvers } from './orchestrations.ts';
import { pipelineResolvers } from './pipelines.ts';
import { tagResolvers } from './tags.ts';
import { unsupportedResolvers } from './unsupported.ts';
import { workspaceResolvers } from './workspaces.ts';

const rooms: readonly Resolvers[] = [
  deploymentResolvers,
  modelResolvers,
  orchestrationResolvers,
  pipelineResolvers,
  tagResolvers,
  unsupportedResolvers,
  workspaceResolvers,
];

/** All resolvers; rooms share only the root types. */
export const resolvers: Resolvers = rooms.reduce<Record<string, Resolvers[string]>>((all, room) => {
  for (const [type, fields] of Object.entries(room)) all[type] = { ...all[type], ...fields };
  return all;
}, {});
