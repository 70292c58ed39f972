import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@pademelon/domain';
import { invalidArchive } from './archive-entry.ts';
import { type Archive, openArchive } from './open-archive.ts';

/** What was uploaded as a Python step: a .py file, or a zip with one and what belongs to it. */
export interface PythonScript {
  /** Path of the script below the folder into which `extract` writes. */
  readonly path: string;
  /** What it needs, as lines of a requirements.txt. */
  readonly requirements: string;
  extract(folder: string): Promise<void>;
}

/** Functions by which a script is entered, the one that counts first. */
const entryPoints = ['process_data', 'wallaroo_json'] as const;
const definesEntryPoint = new RegExp(`\\b(${entryPoints.join('|')})\\b`);

const maxScriptBytes = 1024 * 1024;
const maxRequirementsBytes = 256 * 1024;
const maxScripts = 100;

/**
 * Reads an upload without running any of it. Throws `model_rejected` for a file that is no script with an entry point,
 * `invalid_archive` and `too_large` for a zip that is refused.
 */
export async function openPythonScript(file: string, fileName: string): Promise<PythonScript> {
  return /\.zip$/i.test(fileName) ? openZip(await openArchive(file)) : openFile(file, fileName);
}

async function openFile(file: string, fileName: string): Promise<PythonScript> {
  const code = await readStart(file);
  if (!definesEntryPoint.test(code)) throw withoutEntryPoint(JSON.stringify(fileName));
  // Its own name is what tracebacks show; one that could lead elsewhere is replaced.
  const path = /^\w[\w.-]*\.py$/.test(fileName) ? fileName : 'script.py';
  return {
    path,
    requirements: inlineRequirements(code),
    extract: (folder) => copyFile(file, join(folder, path)),
  };
}

async function openZip(archive: Archive): Promise<PythonScript> {
  const found = archive.entries.map(({ path }) => path).filter((path) => path.endsWith('.py'));
  if (found.length > maxScripts) throw invalidArchive(`it has more than ${maxScripts} files ending in .py`);
  const scripts: { path: string; code: string }[] = [];
  for (const path of found) {
    const code = (await archive.read(path, maxScriptBytes)).toString('utf8');
    if (definesEntryPoint.test(code)) scripts.push({ path, code });
  }
  const script = scripts.length === 1 ? scripts[0] : scripts.find(({ path }) => /(^|\/)main\.py$/.test(path));
  if (script === undefined) {
    if (scripts.length === 0) throw withoutEntryPoint('the zip');
    const names = scripts.map(({ path }) => JSON.stringify(path)).join(', ');
    throw new DomainError('model_rejected', `Several scripts of the zip could be the step: ${names}. Call it main.py.`);
  }
  const listed = archive.entries.find(({ path }) => /(^|\/)requirements\.txt$/.test(path));
  const text = listed && (await archive.read(listed.path, maxRequirementsBytes)).toString('utf8');
  return {
    path: script.path,
    requirements: text ?? inlineRequirements(script.code),
    extract: (folder) => archive.extract(folder),
  };
}

async function readStart(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxScriptBytes) {
      throw new DomainError(
        'too_large',
        `A script may have at most ${maxScriptBytes} bytes; put data beside it in a zip.`,
      );
    }
    const bytes = await handle.readFile();
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new DomainError('model_rejected', 'The script is not text in UTF-8.', { cause });
  } finally {
    await handle.close();
  }
}

/**
 * The dependencies in a script's own header (https://peps.python.org/pep-0723/), the only place for them in an upload of
 * one file. They are checked like any other line of requirements.
 */
function inlineRequirements(code: string): string {
  const block = /^# \/\/\/ script\s*\n((?:#(?: .*)?\n)*?)# \/\/\/\s*$/m.exec(code.replaceAll('\r\n', '\n'))?.[1];
  const toml = block?.replace(/^# ?/gm, '') ?? '';
  const list = /^dependencies\s*=\s*\[([\s\S]*?)\]\s*$/m.exec(toml)?.[1] ?? '';
  return Array.from(list.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g), (match) => match[1] ?? match[2]).join('\n');
}

function withoutEntryPoint(what: string): DomainError {
  return new DomainError(
    'model_rejected',
    `In ${what} there is no Python script that defines process_data(input_data: InferenceData) or wallaroo_json(data: pd.DataFrame).`,
  );
}
