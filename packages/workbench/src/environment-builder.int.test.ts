import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRequirements } from '@pademelon/archive';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findBuildTools } from './build-test-tools.ts';
import { EnvironmentBuilder } from './environment-builder.ts';
import type { Interpreter } from './interpreter.ts';
import { buildWheel, startTestIndex, type TestIndex } from './package-index-test-server.ts';
import { readPythonIndex } from './python-index.ts';
import { probeSandbox } from './sandbox.ts';

let interpreter: Interpreter;
let uv: string;
let folder: string;
let index: TestIndex;
beforeAll(async () => {
  ({ interpreter, uv } = await findBuildTools());
}, 120_000);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pademelon-environments-'));
  index = await startTestIndex();
});
afterEach(async () => {
  index.close();
  await rm(folder, { recursive: true, force: true });
});

async function openBuilder(options: { baseSet?: string[]; timeoutMs?: number } = {}): Promise<EnvironmentBuilder> {
  return new EnvironmentBuilder({
    ...{ folder, uv, interpreter, baseSet: [], timeoutMs: 60_000 },
    index: readPythonIndex({ UV_DEFAULT_INDEX: index.url }),
    sandbox: await probeSandbox(),
    onProblem: (error) => {
      throw error;
    },
    ...options,
  });
}

async function build(text: string, options?: { baseSet?: string[]; timeoutMs?: number }) {
  const builder = await openBuilder(options);
  const log: string[] = [];
  const environment = await builder
    .ensure(readRequirements(text).requirements, (line) => log.push(line))
    .catch((error: Error) => error);
  await builder.settled();
  return { builder, environment, log: log.join('\n') };
}

function pythonOf(environment: { folder: string } | Error, code: string): string {
  if (environment instanceof Error) throw environment;
  return execFileSync(join(environment.folder, 'bin', 'python'), ['-c', code], { encoding: 'utf8' }).trim();
}

const greeting = { 'greeting/__init__.py': 'word = "hello"\n' };

describe('an environment', () => {
  test('has the base set and what is required, and is there only when it is whole', async () => {
    index.add('greeting-1.0-py3-none-any.whl', buildWheel('greeting', greeting, ['farewell']));
    index.add('farewell-1.0-py3-none-any.whl', buildWheel('farewell', { 'farewell.py': 'word = "bye"\n' }));
    index.add('basics-1.0-py3-none-any.whl', buildWheel('basics', { 'basics.py': '' }));
    const { environment, log } = await build('greeting==1.0', { baseSet: ['basics'] });
    expect(pythonOf(environment, 'import basics, farewell, greeting; print(greeting.word, farewell.word)')).toBe(
      'hello bye',
    );
    expect(log).toContain('greeting==1.0');
    expect(readdirSync(join(folder, 'ready'))).toHaveLength(1);
    expect(readdirSync(join(folder, 'work', 'building'))).toEqual([]);
    expect(readdirSync(join(folder, 'steps'))).toEqual([]);
  });

  test('is built once for all who wait, and not again', async () => {
    index.add('greeting-1.0-py3-none-any.whl', buildWheel('greeting', greeting));
    const builder = await openBuilder();
    const { requirements } = readRequirements('greeting');
    const logs = [0, 1, 2, 3].map(() => [] as string[]);
    const all = await Promise.all(logs.map((log) => builder.ensure(requirements, (line) => log.push(line))));
    expect(new Set(all.map((environment) => environment.folder)).size).toBe(1);
    expect(logs.filter((log) => /Waiting for the same environment/.test(log.join('\n')))).toHaveLength(3);
    const asked = index.asked.length;
    expect(asked).toBeGreaterThan(0);
    await builder.ensure(readRequirements('# the same\n greeting').requirements, () => undefined);
    expect(index.asked).toHaveLength(asked);
    await builder.settled();
  });

  test('differs by what is required', async () => {
    const builder = await openBuilder();
    const hash = (text: string): string => builder.hashOf(readRequirements(text).requirements);
    expect(hash('a\nb')).toBe(hash('b\na # note'));
    expect(hash('a')).not.toBe(hash('a==1'));
  });

  test('is made of 100 packages that require each other in a circle', { timeout: 60_000 }, async () => {
    for (let number = 0; number < 100; number++) {
      const wheel = buildWheel(`link${number}`, { [`link${number}.py`]: '' }, [`link${(number + 1) % 100}`]);
      index.add(`link${number}-1.0-py3-none-any.whl`, wheel);
    }
    const { environment } = await build('link7');
    expect(pythonOf(environment, 'import link0, link6, link7, link99')).toBe('');
  });

  test('gets byte code and the cache of fonts in the background', async () => {
    const fonts = `import os, types
mpl = types.SimpleNamespace(get_cachedir=lambda: os.path.expanduser("~"))
class FontManager: __version__ = "390"
open(os.path.join(mpl.get_cachedir(), "fontlist-v390.json"), "w").write('{"fonts": 3}')
`;
    const files = { 'matplotlib/__init__.py': '', 'matplotlib/font_manager.py': fonts };
    index.add('matplotlib-1.0-py3-none-any.whl', buildWheel('matplotlib', files));
    const { builder, environment } = await build('matplotlib');
    const again = await builder.ensure(readRequirements('matplotlib').requirements, () => undefined);
    expect(again.cacheFolder).not.toBeNull();
    expect(readFileSync(join(again.cacheFolder as string, 'matplotlib', 'fontlist-v390.json'), 'utf8')).toBe(
      '{"fonts": 3}',
    );
    expect(pythonOf(environment, 'import matplotlib, os; print(os.path.exists(matplotlib.__cached__))')).toBe('True');
  });
});

describe('an environment that cannot be built', () => {
  test('says in the log what the resolver says, and leaves nothing', async () => {
    const { environment, log } = await build('no-such-package==9');
    expect(environment).toMatchObject({ word: 'invalid_input' });
    expect((environment as Error).message).toContain('the build log says why');
    expect(log).toContain('no-such-package');
    expect(readdirSync(join(folder, 'ready'))).toEqual([]);
  });

  test('says that no versions fit, however many were tried', async () => {
    for (let version = 1; version <= 50; version++) {
      for (const [name, other] of [
        ['hen', 'egg'],
        ['egg', 'hen'],
      ] as const) {
        const wheel = buildWheel(name, {}, [`${other}==${version + 1}`], `${version}`);
        index.add(`${name}-${version}-py3-none-any.whl`, wheel);
      }
    }
    const { environment, log } = await build('hen');
    expect(environment).toMatchObject({ word: 'invalid_input' });
    expect(log).toMatch(/no solution|unsatisfiable/i);
  });

  test('gives up after its time, with the reason', async () => {
    index.fallSilent();
    const { environment } = await build('greeting', { timeoutMs: 1_500 });
    expect(environment).toMatchObject({ word: 'invalid_input', message: expect.stringContaining('within 1.5 s') });
    expect(readdirSync(join(folder, 'steps'))).toEqual([]);
  });

  test.each(['../../../../planted.py', '/tmp/pademelon-planted.py', 'evil-1.0.data/scripts/../../../../../planted.py'])(
    'does not put a file of a wheel at %s',
    async (path) => {
      index.add('evil-1.0-py3-none-any.whl', buildWheel('evil', { 'evil/__init__.py': '', [path]: 'x = 1' }));
      const { environment } = await build('evil');
      const planted = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /planted/.test(name));
      expect(planted.filter((name) => !name.startsWith('work/cache/'))).toEqual([]);
      expect(existsSync('/tmp/pademelon-planted.py')).toBe(false);
      // uv leaves it out; if a later one refuses the wheel, that is as good.
      if (!(environment instanceof Error)) expect(pythonOf(environment, 'import evil')).toBe('');
    },
  );

  test('leaves its half to the sweep when its worker was killed', async () => {
    const builder = await openBuilder();
    writeFileSync(join(folder, 'work', 'building', 'half'), '');
    writeFileSync(join(folder, 'steps', 'half'), '');
    await builder.sweep(60_000);
    expect(readdirSync(join(folder, 'steps'))).toEqual(['half']);
    await builder.sweep(0);
    expect([...readdirSync(join(folder, 'work', 'building')), ...readdirSync(join(folder, 'steps'))]).toEqual([]);
  });
});
