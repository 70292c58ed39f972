import { member, parseQuantity } from './quantity.ts';

/** What a deployment's engine configuration, free JSON made by the SDK's builder, says to hosts and gateways. */
export interface EngineResources {
  readonly replicas: number;
  /** ONNX Runtime threads of each replica: its whole cpus, at least one. */
  readonly threads: number;
  /** Bytes of resident memory that each replica may use; null for no limit. */
  readonly memoryBytes: number | null;
}

export const maxReplicas = 64;

/** Reads what is there and understandable and falls back to one replica, one thread, no limit: it never throws. */
export function readEngineConfig(engineConfig: unknown): EngineResources {
  const engine = member(engineConfig, 'engine');
  const limits = member(member(engine, 'resources'), 'limits');
  const replicas = member(engine, 'replicas') ?? member(member(engine, 'autoscale'), 'replica_min');
  const cpu = member(engine, 'cpu') ?? member(limits, 'cpu');
  return {
    // The SDK's builder writes a minimum of 0 unless told otherwise; nothing here starts a pod at the first request.
    replicas: Math.min(maxReplicas, Math.max(1, Math.trunc(parseQuantity(replicas) ?? 1))),
    threads: Math.max(1, Math.floor(parseQuantity(cpu) ?? 1)),
    memoryBytes: parseQuantity(member(limits, 'memory') ?? member(engine, 'memory')),
  };
}
