import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildZip } from '@pademelon/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPythonScript } from './python-script.ts';
import { scriptInspector } from './script-inspector.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pademelon-script-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const step = 'def process_data(input_data):\n    return input_data\n';

function place(content: string | Buffer): string {
  const file = join(folder, 'upload');
  writeFileSync(file, content);
  return file;
}

function zip(files: Readonly<Record<string, string>>): string {
  return place(buildZip(Object.entries(files).map(([name, content]) => ({ name, content }))));
}

describe('a script by itself', () => {
  test('keeps its name and is extracted as it is', async () => {
    const script = await openPythonScript(place(step), 'my-step.py');
    expect(script).toMatchObject({ path: 'my-step.py', requirements: '' });
    const target = mkdtempSync(join(folder, 'target-'));
    await script.extract(target);
    expect(readdirSync(target)).toEqual(['my-step.py']);
    expect(readFileSync(join(target, 'my-step.py'), 'utf8')).toBe(step);
  });

  test.each(['../up.py', 'a/b.py', '-c.py', 'ümlaut.py', ' .py'])('called %j gets a name of ours', async (name) => {
    expect((await openPythonScript(place(step), name)).path).toBe('script.py');
  });

  test('says in its header what it needs', async () => {
    const header =
      '# /// script\r\n# requires-python = ">=3.9"\r\n# dependencies = [\r\n#   "statsmodels==0.14.4",\r\n#   \'scipy\',\r\n# ]\r\n# ///\r\n';
    expect((await openPythonScript(place(`${header}${step}`), 'a.py')).requirements).toBe('statsmodels==0.14.4\nscipy');
  });

  test.each([
    ['without an entry point', 'def predict(x):\n    return x\n', /defines process_data/],
    ['that is no text', Buffer.from([0x80, 0x04, 0x95, 0xff]), /not text in UTF-8/],
    ['that is too long', `${step}#${'x'.repeat(1024 * 1024)}`, /at most 1048576 bytes/],
  ])('%s is refused', async (_, content, sentence) => {
    await expect(openPythonScript(place(content), 'a.py')).rejects.toThrow(sentence);
  });
});

describe('a script in a zip', () => {
  test('is found among its modules, with its requirements', async () => {
    const file = zip({ 'step/post.py': step, 'step/tools.py': 'x = 1', 'step/requirements.txt': 'scipy\n' });
    expect(await openPythonScript(file, 'step.ZIP')).toMatchObject({ path: 'step/post.py', requirements: 'scipy\n' });
  });

  test('is main.py where several could be it', async () => {
    const files = { 'a.py': step, 'main.py': step };
    expect((await openPythonScript(zip(files), 'a.zip')).path).toBe('main.py');
    await expect(openPythonScript(zip({ 'a.py': step, 'b.py': step }), 'a.zip')).rejects.toThrow(
      'Several scripts of the zip could be the step: "a.py", "b.py". Call it main.py.',
    );
  });

  test('is refused when there is none, or the zip is hostile', async () => {
    await expect(openPythonScript(zip({ 'a.txt': step }), 'a.zip')).rejects.toThrow('In the zip there is no Python');
    await expect(openPythonScript(zip({ '../a.py': step }), 'a.zip')).rejects.toMatchObject({
      word: 'invalid_archive',
    });
    await expect(openPythonScript(place(step), 'a.zip')).rejects.toMatchObject({ word: 'invalid_archive' });
  });
});

test('an upload is refused for what could come from anywhere, wherever it is asked for', async () => {
  const bad = '--index-url http://elsewhere';
  await expect(scriptInspector.inspect(place(step), 'a.py', [bad])).rejects.toThrow('options are not allowed');
  const header = `# /// script\n# dependencies = ["x @ https://elsewhere/x.whl"]\n# ///\n${step}`;
  await expect(scriptInspector.inspect(place(header), 'a.py', [])).rejects.toMatchObject({ word: 'invalid_archive' });
  await expect(scriptInspector.inspect(place(step), 'a.py', ['scipy==1.13'])).resolves.toBeUndefined();
});
