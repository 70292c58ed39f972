// The process of one test: it gets one connection, makes one round trip and ends. Nothing of the API is in it: not its
// environment, not its memory, and afterwards neither the details nor the libraries are anywhere.
import type { JsonObject } from '@pademelon/domain';
import type { KnownType } from './known-types.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { probeBigquery } from './probe-bigquery.ts';
import { probeHttp } from './probe-http.ts';
import { probePostgres } from './probe-postgres.ts';
import { probeS3 } from './probe-s3.ts';
import { guardSockets } from './socket-guard.ts';

export interface ProbeOrder {
  readonly type: KnownType;
  readonly details: JsonObject;
  readonly allowed: readonly string[];
}

const probes: Record<KnownType, Probe> = {
  bigquery: probeBigquery,
  postgres: probePostgres,
  s3: probeS3,
  http: probeHttp,
};

process.once('message', (order: ProbeOrder) => {
  void carryOut(order).then((result) => process.send?.(result, () => process.exit(0)));
});
// Whoever asked is gone: nobody waits for the answer. Not by process.exit, which can hang: see runProcess.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function carryOut({ type, details, allowed }: ProbeOrder): Promise<ProbeResult> {
  const guard = guardSockets(allowed);
  const result = await probes[type](details).catch(
    (): ProbeResult => ({ outcome: 'unreachable', text: 'The other side could not be reached.' }),
  );
  if (guard.blockedCount === 0 || result.outcome === 'reached') return result;
  return {
    outcome: 'blocked',
    text: 'The connection leads to an address that is not on the public internet; an operator can allow it.',
  };
}
