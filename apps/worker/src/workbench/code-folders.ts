import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { OrchestrationLayout } from '@pademelon/archive';

/** The unpacked code of an orchestration: read-only by agreement, copied into every run's home. */
export interface CodeFolder {
  readonly folder: string;
  readonly layout: OrchestrationLayout;
  /** Text of requirements.txt, or an empty string. */
  readonly requirements: string;
}

const maxRequirementsBytes = 256 * 1024;

/** Unpacks zips once each, by their SHA-256; a folder appears by a rename, whole. */
export class CodeFolders {
  readonly #root: string;
  readonly #unpacking = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
    mkdirSync(join(root, 'ready'), { recursive: true });
    mkdirSync(join(root, 'unpacking'), { recursive: true });
  }

  /** Throws `invalid_archive` or `too_large`, with the reason, for a zip that is refused. */
  async ensure(sha: string, zipFile: string): Promise<CodeFolder> {
    // Loaded at the first zip: a worker without work stays small.
    const { findOrchestrationLayout, openArchive } = await import('@pademelon/archive');
    const archive = await openArchive(zipFile);
    const layout = findOrchestrationLayout(archive.entries);
    const requirements =
      layout.requirements === null
        ? ''
        : (await archive.read(layout.requirements, maxRequirementsBytes)).toString('utf8');
    const folder = join(this.#root, 'ready', sha);
    if (existsSync(folder)) await utimes(folder, new Date(), new Date());
    else await this.#unpackOnce(sha, folder, (target) => archive.extract(target));
    return { folder, layout, requirements };
  }

  /** Removes what was being unpacked when the worker was killed. */
  async sweep(): Promise<void> {
    for (const name of await readdir(join(this.#root, 'unpacking'))) {
      await rm(join(this.#root, 'unpacking', name), { recursive: true, force: true });
    }
  }

  async #unpackOnce(sha: string, folder: string, extract: (target: string) => Promise<void>): Promise<void> {
    const running =
      this.#unpacking.get(sha) ?? this.#unpack(folder, extract).finally(() => this.#unpacking.delete(sha));
    this.#unpacking.set(sha, running);
    await running;
  }

  async #unpack(folder: string, extract: (target: string) => Promise<void>): Promise<void> {
    const target = join(this.#root, 'unpacking', randomUUID());
    mkdirSync(target);
    try {
      await extract(target);
      await rename(target, folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(target, { recursive: true, force: true });
    }
  }
}
