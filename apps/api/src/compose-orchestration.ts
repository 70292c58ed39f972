import { orchestrationInspector } from '@pademelon/archive';
import { ForkedConnectionTester } from '@pademelon/connectors';
import {
  type createDatabase,
  PgRunReader,
  PgTaskStore,
  type Pool,
  PrismaConnectionStore,
  PrismaOrchestrationStore,
} from '@pademelon/database';
import {
  type ArtifactStore,
  ConnectionService,
  type Doorbell,
  OrchestrationService,
  OrchestrationUpload,
  RunService,
  TaskService,
  type WorkspaceService,
} from '@pademelon/domain';
import type { Logger, SealingKey } from '@pademelon/runtime';
import { EnvelopeVault } from '@pademelon/tokens';

export interface OrchestrationComposition {
  readonly pool: Pool;
  readonly database: ReturnType<typeof createDatabase>;
  readonly workspaces: WorkspaceService;
  readonly artifacts: ArtifactStore;
  readonly doorbell: Doorbell;
  readonly sealingKeys: readonly SealingKey[];
  /** `host:port` addresses that tests of connections may reach although they are private. */
  readonly connectAllow: readonly string[];
  readonly maxArchiveBytes: number;
  readonly logger: Logger;
}

export interface OrchestrationServices {
  readonly connections: ConnectionService;
  readonly orchestrations: OrchestrationService;
  readonly orchestrationUpload: OrchestrationUpload;
  readonly runs: RunService;
  readonly tasks: TaskService;
}

/** Puts together what runs users' code on their behalf, as far as the API is concerned: it never runs any. */
export function composeOrchestration(composition: OrchestrationComposition): OrchestrationServices {
  const { pool, database, workspaces, artifacts, doorbell, logger } = composition;
  const orchestrationStore = new PrismaOrchestrationStore(database);
  const orchestrations = new OrchestrationService(orchestrationStore, workspaces);
  return {
    connections: new ConnectionService({
      store: new PrismaConnectionStore(database),
      workspaces,
      vault: new EnvelopeVault(composition.sealingKeys),
      tester: new ForkedConnectionTester({ allowed: composition.connectAllow }),
      onTampered: (connection, error) => logger.error({ err: error, connection }, 'sealed details do not open'),
      onBlocked: (connection, user) => logger.warn({ connection, user }, 'a test of a connection led inside'),
    }),
    orchestrations,
    orchestrationUpload: new OrchestrationUpload({
      store: orchestrationStore,
      workspaces,
      artifacts,
      inspector: orchestrationInspector,
      doorbell,
      maxArchiveBytes: composition.maxArchiveBytes,
    }),
    runs: new RunService(new PgRunReader(pool)),
    tasks: new TaskService({ store: new PgTaskStore(pool), orchestrations, workspaces, doorbell }),
  };
}
