import { readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';

const pageBytes = 4096;

/** What a process and all that descend from it use together. */
export interface TreeUsage {
  readonly processes: number;
  /** Bytes of memory that are not shared with other processes. */
  readonly memoryBytes: number;
}

/**
 * Reads Linux' /proc; a process that ends meanwhile counts as nothing. Stops counting beyond `maxProcesses`: a fork bomb
 * makes them faster than they can be read.
 */
export function measureTree(rootPid: number, maxProcesses: number): TreeUsage {
  let processes = 0;
  let memoryBytes = 0;
  const waiting = [rootPid];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (processes > maxProcesses) break;
    try {
      const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
      memoryBytes += ((resident as number) - (shared as number)) * pageBytes;
      processes += 1;
      waiting.push(...childrenOf(pid));
    } catch {
      // Ended between the listing and the reading.
    }
  }
  return { processes, memoryBytes };
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
      if (text !== '') children.push(...text.split(' ').map(Number));
    } catch {
      // The thread has ended; its children have moved to another.
    }
  }
  return children;
}

/**
 * Files in the folder's file system as the process sees it; 0 when it cannot be told, and while that is the machine's own:
 * a jail that is being made has not left it yet.
 */
export function countFiles(pid: number, folder: string): number {
  try {
    const seen = `/proc/${pid}/root${folder}`;
    if (statSync(seen).dev === statSync(folder, { throwIfNoEntry: false })?.dev) return 0;
    const { files, ffree } = statfsSync(seen);
    return files - ffree;
  } catch {
    return 0;
  }
}

/**
 * The first process of the jail that a bubblewrap process has made, directly or through another one: the first below it
 * that is in a process namespace of its own. Null before it exists.
 */
export function jailRoot(bubblewrapPid: number): number | null {
  try {
    const outside = readlinkSync('/proc/self/ns/pid');
    let pid: number | undefined = bubblewrapPid;
    while (pid !== undefined && readlinkSync(`/proc/${pid}/ns/pid`) === outside) pid = childrenOf(pid)[0];
    return pid ?? null;
  } catch {
    return null;
  }
}
