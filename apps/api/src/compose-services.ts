import { scriptInspector } from '@pademelon/archive';
import { LocalArtifactStore, startArtifactSweeper } from '@pademelon/artifacts';
import {
  createDatabase,
  PgInferenceLogStore,
  PgServedPipelineStore,
  type Pool,
  PrismaDeploymentStore,
  PrismaModelStore,
  PrismaPipelineStore,
  PrismaTagStore,
  PrismaWorkspaceStore,
  readPlatformState,
} from '@pademelon/database';
import {
  ArtifactService,
  DeploymentService,
  type Doorbell,
  InferenceLogService,
  ModelService,
  ModelUpload,
  OpenInferenceService,
  PipelineService,
  TagService,
  WorkspaceService,
} from '@pademelon/domain';
import { arrowBatchDecoder } from '@pademelon/inference-log';
import { onnxModelInspector } from '@pademelon/onnx-model';
import { internalKey, type Logger, readSealingKeys, type SealingKey } from '@pademelon/runtime';
import { composeOrchestration } from './compose-orchestration.ts';
import { composeIdentity } from './identity/compose-identity.ts';
import { createInternalAccess } from './plugins/internal-access.ts';
import type { Services } from './services.ts';

export interface Composition {
  readonly pool: Pool;
  readonly secretKey: Buffer;
  /** The one before, while it is being replaced. */
  readonly oldSecretKey?: Buffer | undefined;
  /** Folder of the artifact store. */
  readonly artifactFolder: string;
  readonly publicUrl: string;
  readonly isAuthOff: boolean;
  /** Life of an access token; one hour by default. */
  readonly accessTokenSeconds?: number;
  /** What one protobuf message, and so one ONNX file, can hold by default. */
  readonly maxModelBytes?: number;
  /** 100 MB by default. */
  readonly maxArchiveBytes?: number;
  /** Wakes workers up; without it they find work by looking and by NOTIFY. */
  readonly doorbell?: Doorbell;
  /** The first of them seals; derived from the secret key alone by default. */
  readonly sealingKeys?: readonly SealingKey[];
  readonly connectAllow?: readonly string[];
  readonly logger: Logger;
}

export interface RunningServices extends Services {
  /** Ends what runs in the background (sweeps, listeners). The pool stays the caller's. */
  stop(): Promise<void>;
}

const silent: Doorbell = { ring: async () => undefined };

/** Puts adapters into services: the only place where the API's code meets its adapters. */
export async function composeServices(composition: Composition): Promise<RunningServices> {
  const database = createDatabase(composition.pool);
  const { identity, authenticator, users, clients } = await composeIdentity({ ...composition, database });
  const artifacts = new LocalArtifactStore(composition.artifactFolder);
  const sweeper = startArtifactSweeper(artifacts, {
    onError: (error) => composition.logger.warn({ err: error }, 'could not sweep the artifact store'),
  });
  const modelStore = new PrismaModelStore(database);
  const workspaces = new WorkspaceService(new PrismaWorkspaceStore(database));
  const models = new ModelService(modelStore, workspaces);
  const pipelines = new PipelineService(new PrismaPipelineStore(database), workspaces);
  const orchestration = composeOrchestration({
    doorbell: silent,
    sealingKeys: readSealingKeys({}, composition.secretKey),
    connectAllow: [],
    maxArchiveBytes: 100 * 1024 ** 2,
    ...composition,
    database,
    workspaces,
    artifacts,
  });
  return {
    ...orchestration,
    artifacts: new ArtifactService(artifacts),
    authenticator,
    clients,
    deployments: new DeploymentService(new PrismaDeploymentStore(database), pipelines),
    identity,
    inferenceLogs: new InferenceLogService(new PgInferenceLogStore(composition.pool), arrowBatchDecoder),
    internalAccess: createInternalAccess(internalKey(composition.secretKey)),
    readState: () => readPlatformState(composition.pool).catch(() => null),
    models,
    modelUpload: new ModelUpload({
      store: modelStore,
      workspaces,
      artifacts,
      inspector: onnxModelInspector,
      scriptInspector,
      maxModelBytes: composition.maxModelBytes ?? 2 ** 31 - 1,
      maxScriptBytes: composition.maxArchiveBytes ?? 100 * 1024 ** 2,
    }),
    openInference: new OpenInferenceService(new PgServedPipelineStore(composition.pool)),
    pipelines,
    platform: {
      name: 'Pademelon',
      isAuthEnabled: !composition.isAuthOff,
      architecture: process.arch === 'arm64' ? 'arm' : 'x86',
    },
    tags: new TagService({ store: new PrismaTagStore(database), models, pipelines }),
    users,
    workspaces,
    stop: async () => {
      sweeper.stop();
      await identity.issuer.stop();
    },
  };
}
