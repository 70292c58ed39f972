import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface OutputPipes {
  readonly stdout: Socket;
  readonly stderr: Socket;
  /**
   * Of both, in this order: descriptors for the child, to be closed once it has them. The pipes end with the last process
   * that writes into them.
   */
  readonly writeEnds: readonly [number, number];
}

/**
 * Pipes for the output of a child. What Node.js gives a child as its output are sockets, and a socket cannot be opened by
 * its path: code that writes to /dev/stdout, as is usual in containers, would fail with ENXIO. Node.js makes no pipes, so
 * these are named ones without their names.
 */
export function openOutputPipes(): OutputPipes {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-output-'));
  try {
    const paths = [join(folder, 'stdout'), join(folder, 'stderr')] as const;
    execFileSync('mkfifo', ['-m', '600', ...paths]);
    // In this order: a pipe that is opened for writing waits for its reader.
    const [stdout, stderr] = [openReadEnd(paths[0]), openReadEnd(paths[1])];
    return { stdout, stderr, writeEnds: [openSync(paths[0], 'w'), openSync(paths[1], 'w')] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openReadEnd(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}
