import { extname, resolve } from 'node:path';

/** This very program runs from `src` (.ts) or from `dist` (.js); what it starts comes from the same kind of folder. */
const extension = extname(import.meta.filename);
const kind = extension === '.ts' ? 'src' : 'dist';
const apps = resolve(import.meta.dirname, '../..');

/** The file of an app's program, `apps/<app>/<src or dist>/<name>`. */
export function programPath(app: string, name = 'main'): string {
  return resolve(apps, app, kind, `${name}${extension}`);
}

/** Node's flags for such a program. */
export function nodeFlagsFor(flags: readonly string[]): string[] {
  return kind === 'src' ? [...flags, '--conditions=source'] : [...flags];
}
