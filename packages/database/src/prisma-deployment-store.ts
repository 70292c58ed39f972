import { channels, type PodState } from '@pademelon/contracts';
import type {
  DeployableModel,
  Deployment,
  DeploymentFilter,
  DeploymentStore,
  DesiredState,
  JsonObject,
  PodReport,
  ServedVersion,
} from '@pademelon/domain';
import type { Prisma } from './generated/client.ts';
import { notify } from './notify.ts';
import { hostLifetimeSeconds } from './pod-rows.ts';
import type { Database } from './prisma.ts';

const include = {
  pipeline: { select: { name: true, workspaceId: true } },
  modelConfigs: { select: { modelConfigId: true }, orderBy: { id: 'asc' } },
  pipelineVersions: { orderBy: { pipelineVersionId: 'desc' } },
} as const satisfies Prisma.DeploymentInclude;

type Row = Prisma.DeploymentGetPayload<{ include: typeof include }>;

export class PrismaDeploymentStore implements DeploymentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async deploy(desired: DesiredState): Promise<Deployment> {
    const { pipelineId, pipelineVersionId, deployId, modelConfigIds } = desired;
    const engineConfig = desired.engineConfig as Prisma.InputJsonObject;
    return this.#database.$transaction(async (transaction) => {
      // One statement, so that of two deploys at once neither revision is lost; the row is locked from here on.
      const { id } = await transaction.deployment.upsert({
        where: { pipelineId },
        create: { pipelineId, pipelineVersionId, deployId, engineConfig, isDeployed: true },
        update: { pipelineVersionId, deployId, engineConfig, isDeployed: true, revision: { increment: 1 } },
        select: { id: true },
      });
      await transaction.deploymentModelConfig.deleteMany({ where: { deploymentId: id } });
      await transaction.deploymentModelConfig.createMany({
        data: modelConfigIds.map((modelConfigId) => ({ deploymentId: id, modelConfigId })),
      });
      await transaction.deploymentPipelineVersion.upsert({
        where: { deploymentId_pipelineVersionId: { deploymentId: id, pipelineVersionId } },
        create: { deploymentId: id, pipelineVersionId },
        update: { updatedAt: new Date() },
      });
      await notifyHosts(transaction);
      return toDeployment(await transaction.deployment.findUniqueOrThrow({ where: { id }, include }));
    });
  }

  async undeploy(id: number): Promise<void> {
    await this.#database.$transaction(async (transaction) => {
      await transaction.deployment.updateMany({ where: { id }, data: { isDeployed: false, scaledReplicas: null } });
      await notifyHosts(transaction);
    });
  }

  async replaceModelConfig(id: number, modelConfigId: number): Promise<void> {
    await this.#database.$transaction(async (transaction) => {
      await transaction.deployment.update({ where: { id }, data: { revision: { increment: 1 } } });
      const { modelVersionId } = await transaction.modelConfig.findUniqueOrThrow({ where: { id: modelConfigId } });
      await transaction.deploymentModelConfig.deleteMany({
        where: { deploymentId: id, modelConfig: { modelVersionId } },
      });
      await transaction.deploymentModelConfig.create({ data: { deploymentId: id, modelConfigId } });
      await notifyHosts(transaction);
    });
  }

  async findMany(visibleTo: string, ids: readonly number[]): Promise<Deployment[]> {
    return this.#find({ id: { in: [...ids] }, ...seenBy(visibleTo) });
  }

  async ofPipelines(visibleTo: string, pipelineIds: readonly number[]): Promise<Deployment[]> {
    return this.#find({ pipelineId: { in: [...pipelineIds] }, ...seenBy(visibleTo) });
  }

  async list(visibleTo: string, filter: DeploymentFilter): Promise<Deployment[]> {
    return this.#find({ AND: [seenBy(visibleTo), filter] });
  }

  async servedVersions(visibleTo: string, pipelineVersionIds: readonly number[]): Promise<ServedVersion[]> {
    return this.#database.deploymentPipelineVersion.findMany({
      where: { pipelineVersionId: { in: [...pipelineVersionIds] }, deployment: seenBy(visibleTo) },
    });
  }

  async findModels(workspaceId: number, versions: readonly string[]): Promise<DeployableModel[]> {
    return this.#findModels({ version: { in: [...versions] }, model: { workspaceId } });
  }

  async findModelsById(workspaceId: number, versionIds: readonly number[]): Promise<DeployableModel[]> {
    return this.#findModels({ id: { in: [...versionIds] }, model: { workspaceId } });
  }

  async observe(id: number): Promise<{ pods: PodReport[]; liveHosts: number }> {
    const [pods, hosts] = await Promise.all([
      this.#database.$queryRaw<(Omit<PodReport, 'state'> & { state: string })[]>`
        SELECT p.id, p.revision, p.address, p.state, p.reason
        FROM pods p JOIN inference_hosts h ON h.id = p.host_id
        WHERE p.deployment_id = ${id} AND h.last_seen_at >= now() - make_interval(secs => ${hostLifetimeSeconds})
        ORDER BY p.revision, p.replica`,
      this.#database.$queryRaw<{ count: number }[]>`
        SELECT count(*)::int AS count FROM inference_hosts
        WHERE last_seen_at >= now() - make_interval(secs => ${hostLifetimeSeconds})`,
    ]);
    return {
      pods: pods.map((pod) => ({ ...pod, state: pod.state as PodState })),
      liveHosts: hosts[0]?.count ?? 0,
    };
  }

  async #find(where: Prisma.DeploymentWhereInput): Promise<Deployment[]> {
    const rows = await this.#database.deployment.findMany({ where, include, orderBy: { id: 'desc' } });
    return rows.map(toDeployment);
  }

  async #findModels(where: Prisma.ModelVersionWhereInput): Promise<DeployableModel[]> {
    const rows = await this.#database.modelVersion.findMany({
      where,
      select: {
        id: true,
        version: true,
        sha: true,
        status: true,
        model: { select: { name: true } },
        configs: { select: { id: true }, orderBy: { id: 'desc' } },
      },
    });
    return rows.map(({ id, model, configs, ...row }) => ({
      ...row,
      versionId: id,
      name: model.name,
      configIds: configs.map((config) => config.id),
    }));
  }
}

/** Hosts change pods; gateways learn at once that an undeployed pipeline takes no more requests. */
async function notifyHosts(database: Pick<Database, '$executeRaw'>): Promise<void> {
  await notify(database, channels.deployments);
  await notify(database, channels.routes);
}

/** The condition of P9: only what is in the user's workspaces exists for them. */
function seenBy(userId: string): Prisma.DeploymentWhereInput {
  return { pipeline: { workspace: { members: { some: { userId } } } } };
}

function toDeployment({ pipeline, modelConfigs, pipelineVersions, ...row }: Row): Deployment {
  return {
    ...row,
    engineConfig: row.engineConfig as JsonObject,
    pipelineName: pipeline.name,
    workspaceId: pipeline.workspaceId,
    modelConfigIds: modelConfigs.map((used) => used.modelConfigId),
    servedVersions: pipelineVersions,
  };
}
