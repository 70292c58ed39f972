import { execFileSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import { dirname } from 'node:path';

/** How to start a program so that it does not run as root: by another user id, or behind a command. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
  readonly prefix: readonly string[];
}

const nobody = 65534;

/**
 * PostgreSQL refuses to run as root. Without root there is nothing to do. As root it runs in a user namespace that maps
 * another user id onto us, so that files stay ours and no system user has to be created; where user namespaces are
 * refused, as `nobody`, provided that `nobody` can reach both folders.
 */
export function unprivilegedIdentity(...folders: string[]): Identity {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const prefix = ['unshare', '--user', `--map-user=${nobody}`, '--'];
  try {
    execFileSync(prefix[0] as string, [...prefix.slice(1), 'true'], { stdio: 'ignore' });
    return { prefix };
  } catch {
    for (const folder of folders) requireReachable(folder);
    return { uid: nobody, gid: nobody, prefix: [] };
  }
}

function requireReachable(folder: string): void {
  for (let path = folder; path !== dirname(path); path = dirname(path)) {
    try {
      execFileSync('test', ['-x', path], { uid: nobody, gid: nobody, stdio: 'ignore' });
      accessSync(path);
    } catch {
      throw new Error(
        `PostgreSQL cannot run as root, and the user nobody cannot enter ${path}. Start Pademelon as an ordinary user, or set DATABASE_URL.`,
      );
    }
  }
}
