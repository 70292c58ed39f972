import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a child writes into `writeEnd`, a descriptor to be closed once it has it, comes out of `readEnd`. */
export interface OutputPipe {
  readonly writeEnd: number;
  readonly readEnd: Socket;
}

/**
 * Pipes for the output of a child. What Node.js gives a child as its output are sockets, and a socket cannot be opened by
 * its path: code that writes to /dev/stdout, as is usual in containers, would fail with ENXIO. Node.js makes no pipes, so
 * these are named ones without their names.
 */
export function openOutputPipes<const Names extends string>(names: readonly Names[]): Record<Names, OutputPipe> {
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-output-'));
  try {
    const paths = names.map((name) => join(folder, name));
    execFileSync('mkfifo', ['-m', '600', ...paths]);
    const pipes = paths.map((path) => {
      // In this order: a pipe that is opened for writing waits for its reader.
      const readEnd = new Socket({
        fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
        readable: true,
        writable: false,
      });
      return { writeEnd: openSync(path, 'w'), readEnd };
    });
    return Object.fromEntries(names.map((name, i) => [name, pipes[i]!])) as Record<Names, OutputPipe>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** To be called when the child has the write ends: the pipes end with the last process that writes into them. */
export function leaveWriting(pipes: Readonly<Record<string, OutputPipe>>): void {
  for (const { writeEnd } of Object.values(pipes)) closeSync(writeEnd);
}
