import type { ArchiveInspector } from '@pademelon/domain';
import { openArchive } from './open-archive.ts';
import { findOrchestrationLayout } from './orchestration-layout.ts';
import { readRequirements } from './requirements.ts';

/** Reading and checking this much takes about a second; an upload must be answered within five. */
const verifiedBytes = 256 * 1024 ** 2;

const maxRequirementsBytes = 256 * 1024;

/** What is told of a zip at its upload. Packaging extracts it with the same checks, so nothing goes unverified. */
export const orchestrationInspector: ArchiveInspector = {
  inspect: async (file) => {
    const archive = await openArchive(file);
    const { requirements } = findOrchestrationLayout(archive.entries);
    if (requirements !== null) {
      readRequirements((await archive.read(requirements, maxRequirementsBytes)).toString('utf8'));
    }
    const totalBytes = archive.entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    if (totalBytes <= verifiedBytes) await archive.verify();
  },
};
