import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FetchedArtifacts, LocalArtifactStore, startArtifactSweeper } from '@pademelon/artifacts';
import { createPool, LogRetentionSweep, PgInferenceLogSink } from '@pademelon/database/sql';
import { startLogCollector } from '@pademelon/inference-log';
import { onnxModelInspector } from '@pademelon/onnx-model';
import {
  createLogger,
  internalKey,
  loadSecretKey,
  podKey,
  type RunningProcess,
  read,
  readInteger,
  readPlatformSettings,
  runProcess,
} from '@pademelon/runtime';
import { InferenceHost, maxStopMs } from './host/host.ts';
import { claimHostId } from './host/host-identity.ts';
import { InspectedModelFiles } from './host/inspected-model-files.ts';
import { PythonPrograms } from './host/python-programs.ts';
import { readPythonSettings } from './host/python-settings.ts';

const settings = readPlatformSettings();
const artifactFolder = read(process.env, 'PADEMELON_ARTIFACTS') ?? join(settings.home, 'artifacts');
const apiUrl = (read(process.env, 'PADEMELON_API_URL') ?? 'http://127.0.0.1:8081').replace(/\/+$/, '');
const address = read(process.env, 'PADEMELON_HOST_ADDRESS') ?? '127.0.0.1';
const runDeadlineMs = readInteger(process.env, 'PADEMELON_RUN_DEADLINE_MS', { fallback: 30_000, min: 100, max: 3.6e6 });
/** Gateways have the same setting. */
const requestDeadlineMs = readInteger(process.env, 'PADEMELON_REQUEST_DEADLINE_MS', {
  fallback: 60_000,
  min: 100,
  max: 3.6e6,
});
const loadDeadlineMs = readInteger(process.env, 'PADEMELON_LOAD_DEADLINE_MS', {
  fallback: 60_000,
  min: 100,
  max: 3.6e6,
});
/** Days and bytes of inference logs that are kept; all hosts of one installation should have the same. */
const logRetention = {
  days: readInteger(process.env, 'PADEMELON_LOG_DAYS', { fallback: 30, min: 1, max: 36_500 }),
  totalBytes: readInteger(process.env, 'PADEMELON_LOG_GIB', { fallback: 20, min: 1, max: 1_000_000 }) * 2 ** 30,
};
/** Without a setting of its own, a single pipeline may fill the whole log, even within a day. */
const pipelineLogBytes =
  readInteger(process.env, 'PADEMELON_LOG_PIPELINE_GIB', {
    fallback: logRetention.totalBytes / 2 ** 30,
    min: 1,
    max: 1_000_000,
  }) *
  2 ** 30;
const pythonSettings = readPythonSettings(process.env, settings.home);
/** Bytes of log records that wait for the database; what is more is dropped and counted. */
const logBufferBytes =
  readInteger(process.env, 'PADEMELON_LOG_BUFFER_MIB', { fallback: 64, min: 1, max: 4_096 }) * 2 ** 20;
const logger = createLogger('inference', settings.logLevel);

const podLimits = {
  jsonBodyBytes: 16 * 2 ** 20,
  arrowBodyBytes: 64 * 2 ** 20,
  rows: 1e7,
  queuedRequests: 512,
  requestDeadlineMs,
  runDeadlineMs,
};

/** Beside this module, as source or built. */
const podEntry = fileURLToPath(new URL(`./pod/main${extname(import.meta.url)}`, import.meta.url));

async function start(): Promise<RunningProcess> {
  mkdirSync(artifactFolder, { recursive: true });
  const secretKey = loadSecretKey({ value: settings.secretKey, file: join(settings.home, 'secret.key') });
  const pool = createPool(settings.databaseUrl, { max: 6, name: 'pademelon-inference' });
  // Paths of Unix sockets are limited to about 100 bytes, which a data folder may exceed.
  const socketFolder = mkdtempSync(join(tmpdir(), 'pademelon-'));
  const logSocketPath = join(socketFolder, 'log.sock');
  const logCollector = await startLogCollector({
    socketPath: logSocketPath,
    sink: new PgInferenceLogSink(pool),
    maxWaitingBytes: logBufferBytes,
    onProblem: (error, what) => logger.warn({ err: error }, what),
  });
  const artifacts = new LocalArtifactStore(artifactFolder);
  const artifactSweeper = startArtifactSweeper(artifacts, {
    onError: (error) => logger.warn({ err: error }, 'could not sweep the artifact store'),
  });
  const fetchedArtifacts = new FetchedArtifacts({
    artifacts,
    apiUrl,
    internalKey: internalKey(secretKey),
  });
  const pythonPrograms = new PythonPrograms({
    ...pythonSettings,
    files: fetchedArtifacts,
    podFolder: join(socketFolder, 'pods'),
    loadDeadlineMs,
    logger,
  });
  const host = new InferenceHost({
    self: { id: claimHostId(artifactFolder), address },
    databaseUrl: settings.databaseUrl,
    pool,
    logger,
    modelFiles: new InspectedModelFiles(fetchedArtifacts, onnxModelInspector),
    pythonPrograms,
    podKey: (podId) => podKey(secretKey, podId),
    podEntry,
    // A young generation of 64 MB gave 2 to 12 % on large JSON; bodies of 16 MB are no reason to look for garbage.
    podExecArgv: [...process.execArgv, '--max-semi-space-size=64', '--initial-old-space-size=128'],
    podLimits,
    loadDeadlineMs,
    logSocketPath,
    onPodEnd: (pod, logged) => logCollector.podEnded(pod, logged),
  });
  const retentionSweep = new LogRetentionSweep({
    pool,
    retention: logRetention,
    pipelineBytes: pipelineLogBytes,
    onPruned: (pipelineIds) => logger.info({ pipelineIds }, 'the oldest inference logs deleted, there were too many'),
    onDropped: (days) => logger.info({ days }, 'inference logs dropped by retention'),
    onProblem: (error) => logger.warn({ err: error }, 'retention of inference logs has to wait'),
  });
  retentionSweep.start();
  await host.start();
  return {
    stop: async () => {
      await host.stop();
      await pythonPrograms.stop();
      await logCollector.stop();
      await retentionSweep.stop();
      artifactSweeper.stop();
      await pool.end();
      rmSync(socketFolder, { recursive: true, force: true });
    },
  };
}

// The log has to be written out after the host's stop.
await runProcess(logger, start, { stopDeadlineMs: maxStopMs(podLimits) + 10_000 });
