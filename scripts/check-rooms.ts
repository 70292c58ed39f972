// Checks that every import keeps to the rules of .dependency-cruiser.cjs, and that every source file was looked at: a
// checker that finds no files finds no faults either.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { listSourceFiles, repository, sourceFolders } from './source-files.ts';

export interface RoomReport {
  /** One sentence for each forbidden edge. */
  readonly violations: readonly string[];
  /** Source files that the checker did not see. */
  readonly unseen: readonly string[];
  readonly fileCount: number;
}

/** Cruises `folders` of `root` by the rules of this repository; `overrides` are for its tests. */
export async function checkRooms(
  root = repository,
  folders: readonly string[] = sourceFolders,
  overrides: ICruiseOptions = {},
): Promise<RoomReport> {
  const files = listSourceFiles(root, folders);
  const { options, forbidden } = createRequire(import.meta.url)(join(repository, '.dependency-cruiser.cjs'));
  const { output } = await cruise(
    [...folders],
    { ...options, baseDir: root, validate: true, ruleSet: { forbidden, options }, ...overrides },
    options.enhancedResolveOptions,
    { tsConfig: extractTSConfig(join(repository, options.tsConfig.fileName)) },
  );
  const result = output as ICruiseResult;
  const seen = new Set(result.modules.map((module) => module.source));
  const reasons = new Map<string, string>(
    forbidden.map((rule: { name: string; comment: string }) => [rule.name, rule.comment]),
  );
  return {
    violations: result.summary.violations.map(({ rule, from, to, cycle }) => {
      const path = cycle ? cycle.map((step) => step.name).join(' → ') : to;
      return `${from} → ${path}\n    ${rule.name}: ${reasons.get(rule.name)}`;
    }),
    unseen: files.filter((file) => !seen.has(file)),
    fileCount: files.length,
  };
}

if (import.meta.main) {
  const { violations, unseen, fileCount } = await checkRooms();
  for (const violation of violations) console.log(violation);
  for (const file of unseen) console.log(`${file} was not looked at`);
  console.log(
    `rooms: ${fileCount} files, ${violations.length} forbidden imports, ${unseen.length} files not looked at`,
  );
  process.exitCode = violations.length + unseen.length === 0 && fileCount > 0 ? 0 : 1;
}
