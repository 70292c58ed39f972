import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ConnectionTester, type ConnectionVerdict, DomainError, type JsonObject } from '@pademelon/domain';
import { findFault, knownType } from './known-types.ts';
import { missing, type ProbeResult } from './probe.ts';
import type { ProbeOrder } from './probe-process.ts';

export interface ForkedConnectionTesterOptions {
  /** `host:port` in lower case: what may be reached although it is not on the public internet. */
  readonly allowed: readonly string[];
  readonly timeoutMs?: number;
  readonly maxConcurrent?: number;
}

const isSource = import.meta.url.endsWith('.ts');
const probeFile = fileURLToPath(new URL(`./probe-process.${isSource ? 'ts' : 'js'}`, import.meta.url));

/**
 * Tries connections in a process of their own each, which is killed when it takes too long: libraries of many vendors
 * meet servers that anybody may name, and neither has a place in the API's memory.
 */
export class ForkedConnectionTester implements ConnectionTester {
  readonly #options: Required<ForkedConnectionTesterOptions>;
  #running = 0;

  constructor(options: ForkedConnectionTesterOptions) {
    this.#options = { timeoutMs: 8_000, maxConcurrent: 4, ...options };
  }

  findFault(type: string, details: JsonObject | null): string | null {
    return findFault(type, details);
  }

  /** Throws `overloaded` when too many tests are going on. */
  async test(type: string, details: JsonObject | null): Promise<ConnectionVerdict> {
    const startedAt = performance.now();
    const result = await this.#judge(type, details);
    const elapsedMs = Math.round(performance.now() - startedAt);
    return { ...result, isReachable: result.outcome === 'reached', elapsedMs };
  }

  async #judge(type: string, details: JsonObject | null): Promise<ProbeResult> {
    const known = knownType(type);
    if (known === null) {
      return { outcome: 'unsupported', text: 'Connections of this type are kept, but cannot be tested.' };
    }
    if (details === null) return missing('all of them');
    const fault = findFault(type, details);
    if (fault !== null) return { outcome: 'invalid_details', text: fault };
    if (this.#running >= this.#options.maxConcurrent) {
      throw new DomainError('overloaded', 'Too many connections are being tested at the moment; try again shortly.');
    }
    this.#running++;
    try {
      return await this.#probe({ type: known, details, allowed: this.#options.allowed });
    } finally {
      this.#running--;
    }
  }

  #probe(order: ProbeOrder): Promise<ProbeResult> {
    const { timeoutMs } = this.#options;
    const child = fork(probeFile, [], {
      execArgv: [...(isSource ? ['--conditions=source'] : []), '--max-old-space-size=192'],
      env: probeEnvironment(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return new Promise<ProbeResult>((resolve) => {
      const timer = setTimeout(() => {
        resolve({ outcome: 'timeout', text: `The other side did not answer within ${timeoutMs / 1_000} s.` });
        child.kill('SIGKILL');
      }, timeoutMs);
      child.once('message', (result: ProbeResult) => resolve(result));
      child.once('error', () => undefined);
      // Not 'exit', which may be told before its result is read.
      child.once('close', () => {
        clearTimeout(timer);
        resolve({ outcome: 'unreachable', text: 'The test ended without a result.' });
      });
      child.send(order, () => undefined);
    });
  }
}

/** Certificates that the operator trusts are trusted there, too; the rest of the environment stays here. */
function probeEnvironment(): Record<string, string> {
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  return certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates };
}
