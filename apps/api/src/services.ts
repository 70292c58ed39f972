import type {
  ApiClientService,
  Architecture,
  ArtifactService,
  DeploymentService,
  InferenceLogService,
  ModelService,
  ModelUpload,
  OpenInferenceService,
  PipelineService,
  PlatformState,
  TagService,
  UserService,
  WorkspaceService,
} from '@pademelon/domain';
import type { OrchestrationServices } from './compose-orchestration.ts';
import type { Identity } from './identity/index.ts';
import type { Authenticator } from './plugins/auth.ts';
import type { InternalAccess } from './plugins/internal-access.ts';

/** Everything that routes, resolvers and pages may call. Wired in main.ts; tests wire their own. */
export interface Services extends OrchestrationServices {
  readonly artifacts: ArtifactService;
  readonly authenticator: Authenticator;
  readonly clients: ApiClientService;
  readonly deployments: DeploymentService;
  readonly identity: Identity;
  readonly inferenceLogs: InferenceLogService;
  readonly internalAccess: InternalAccess;
  readonly models: ModelService;
  readonly modelUpload: ModelUpload;
  readonly pipelines: PipelineService;
  readonly openInference: OpenInferenceService;
  readonly platform: PlatformFacts;
  /** How many there are of what; null while the database does not answer. */
  readonly readState: () => Promise<PlatformState | null>;
  readonly tags: TagService;
  readonly users: UserService;
  readonly workspaces: WorkspaceService;
}

/** What the installation tells about itself. */
export interface PlatformFacts {
  readonly name: string;
  /** False with AUTH=off: whoever calls is the first user, whatever they send. */
  readonly isAuthEnabled: boolean;
  /** The processors that models run on. */
  readonly architecture: Architecture;
}
