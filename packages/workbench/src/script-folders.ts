import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadRequirements } from '@pademelon/archive';

/** A script as it was uploaded. */
export interface UploadedScript {
  readonly sha: string;
  /** As the uploader named it; its ending says what it is. */
  readonly fileName: string;
  /** Lines that came beside the file. */
  readonly requirements: readonly string[];
}

/** An uploaded script, ready to be started. */
export interface UnpackedScript extends ReadRequirements {
  /** Absolute path of the script; its folder, with what came along, is read-only by agreement. */
  readonly path: string;
  /** All that was unpacked. Its time of change says when it was last asked for. */
  readonly folder: string;
}

/** Unpacks the scripts of Python steps, once each; a folder appears by a rename, whole. */
export class ScriptFolders {
  readonly #root: string;

  /** Several processes may share the folder. */
  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true });
  }

  /** `file` holds the upload. Throws the reason for which it is refused. */
  async ensure({ sha, fileName, requirements }: UploadedScript, file: string): Promise<UnpackedScript> {
    // Loaded at the first script: a process without any stays small.
    const { openPythonScript, readRequirements } = await import('@pademelon/archive');
    const script = await openPythonScript(file, fileName);
    // The same content under another name is another script to those who read a traceback.
    const name = createHash('sha256')
      .update(JSON.stringify([sha, fileName]))
      .digest('hex');
    const folder = join(this.#root, name);
    if (existsSync(folder)) await utimes(folder, new Date(), new Date());
    else await this.#unpack(folder, (target) => script.extract(target));
    return {
      folder,
      path: join(folder, script.path),
      ...readRequirements([script.requirements, ...requirements].join('\n')),
    };
  }

  async #unpack(folder: string, extract: (target: string) => Promise<void>): Promise<void> {
    const target = `${folder}.${randomUUID()}`;
    mkdirSync(target);
    try {
      await extract(target);
      await rename(target, folder).catch((error: NodeJS.ErrnoException) => {
        // Somebody else was first; theirs is as good.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(target, { recursive: true, force: true });
    }
  }
}
