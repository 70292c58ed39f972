import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ReadinessOptions {
  /** Of the front door; every address of the machine (0.0.0.0 or ::) is asked on the loopback one. */
  readonly host: string;
  readonly port: number;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

const answerWithinMs = 2_000;

/** Resolves when the platform says at its front door that it is ready; rejects with what it said last. */
export async function untilReady({ host, port, withinMs, signal }: ReadinessOptions): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask(reachable(host), port);
    if (/^HTTP\/1\.1 200 /.test(answer)) return;
    if (performance.now() > deadline) {
      const said = answer.split('\r\n')[0] || 'nothing';
      throw new Error(`The platform was not ready within ${withinMs / 1000} s; its front door said: ${said}.`);
    }
    await delay(25, undefined, { signal });
  }
}

/**
 * What /readyz answers, or the reason why nothing came. Over a bare socket: Node's HTTP client would take 15 MB of the
 * launcher's memory for this one question.
 */
function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host, port, timeout: answerWithinMs });
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(`GET /readyz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    socket.on('data', (text: string) => {
      answer = (answer + text).slice(0, 4_096);
    });
    socket.on('timeout', () => socket.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
    socket.on('error', (error) => {
      answer ||= error.message;
    });
    socket.on('close', () => resolve(answer));
  });
}

/** The address under which a listener on `host` can be reached from this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
