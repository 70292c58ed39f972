import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRequirements } from '@pademelon/archive';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findBuildTools } from './build-test-tools.ts';
import { EnvironmentBuilder } from './environment-builder.ts';
import type { Interpreter } from './interpreter.ts';
import { startTestIndex, type TestIndex } from './package-index-test-server.ts';
import { readPythonIndex } from './python-index.ts';
import { probeSandbox, type SandboxStatus } from './sandbox.ts';

// Two walls stand between a stranger's package and the worker: a build executes nothing of it, and what it does execute
// is in the jail of runs. The second is tried with a uv that does without the first.

const sandbox = await probeSandbox();
/** In CI they must not be skipped. */
const whyNoJail = sandbox.level === 'jail' || process.env['CI'] ? null : sandbox.warning;

let interpreter: Interpreter;
let uv: string;
let folder: string;
let index: TestIndex;
beforeAll(async () => {
  ({ interpreter, uv } = await findBuildTools());
  index = await startTestIndex();
}, 120_000);
afterAll(() => index.close());

/** A file, a variable and a port of the server, which no build is to reach. */
async function openHost() {
  folder = mkdtempSync(join(tmpdir(), 'pademelon-build-jail-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'secret of the host');
  const service = createServer((socket) => socket.end('secret of the service')).listen(0, '127.0.0.1');
  await once(service, 'listening');
  let connections = 0;
  service.on('connection', () => connections++);
  process.env['PADEMELON_SECRET_OF_THE_TEST'] = 'secret of the worker';
  onTestFinished(async () => {
    delete process.env['PADEMELON_SECRET_OF_THE_TEST'];
    service.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { port } = service.address() as { port: number };
  return { secretFile, port, connections: () => connections };
}

type Host = Awaited<ReturnType<typeof openHost>>;

/** Tries everything, tells how each ended, and fails, so that uv shows what it said. */
function attackOn({ secretFile, port }: Host): string {
  const { port: indexPort } = new URL(index.url);
  return `
import glob, os, socket, urllib.request
def attempt(name, act):
    try: print(name, "->", act(), flush=True)
    except BaseException as error: print(name, "->", type(error).__name__, flush=True)
def connect(port): return socket.create_connection(("127.0.0.1", port), 5).recv(100).decode()
def tunnel():
    proxy = socket.create_connection(("127.0.0.1", int(os.environ["HTTP_PROXY"].rsplit(":", 1)[1])), 5)
    proxy.sendall(b"CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\n")
    return proxy.recv(1000).decode()
attempt("the index", lambda: urllib.request.urlopen("http://127.0.0.1:${indexPort}/simple/evil/").status)
attempt("a file", lambda: open(${JSON.stringify(secretFile)}).read())
attempt("the worker", lambda: open("/proc/${process.pid}/environ").read())
attempt("variables", lambda: dict(os.environ))
attempt("all processes", lambda: "".join(open(path).read() for path in glob.glob("/proc/*/environ")))
attempt("a port", lambda: connect(${port}))
attempt("the proxy", tunnel)
raise SystemExit("the attack is over")
`;
}

/** A source distribution that is built by a program of its own, so that nothing else has to be installed for it. */
function sourceThatRuns(code: string): Buffer {
  const place = mkdtempSync(join(tmpdir(), 'pademelon-source-'));
  const system = 'requires = []\nbuild-backend = "attack"\nbackend-path = ["."]';
  writeFileSync(join(place, 'pyproject.toml'), `[build-system]\n${system}\n`);
  writeFileSync(join(place, 'attack.py'), code);
  writeFileSync(join(place, 'PKG-INFO'), 'Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n');
  return execFileSync('tar', ['-cz', '-C', place, '--transform', 's,^\\.,evil-1.0,', '.']);
}

/** A uv that builds from source, too. */
function carelessUv(): string {
  const file = join(folder, 'uv');
  const leaveOut = 'for a; do shift; case $a in --only-binary|:all:) ;; *) set -- "$@" "$a" ;; esac; done';
  writeFileSync(file, `#!/bin/sh\n${leaveOut}\nexec '${uv}' "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Installs the attack, which must fail; resolves to the build log. */
async function build(options: { host: Host; uv: string; sandbox: SandboxStatus }): Promise<string> {
  index.add('evil-1.0.tar.gz', sourceThatRuns(attackOn(options.host)));
  const configured = readPythonIndex({ UV_DEFAULT_INDEX: index.url, PIP_CONFIG_FILE: '/dev/null' });
  const builder = new EnvironmentBuilder({
    ...{ folder: join(folder, 'environments'), interpreter, baseSet: [], timeoutMs: 60_000, ...options },
    index: { ...configured, readOnly: [uv] },
    onProblem: (error) => {
      throw error;
    },
  });
  const log: string[] = [];
  const built = builder.ensure(readRequirements('evil').requirements, (line) => log.push(line));
  await expect(built).rejects.toMatchObject({ word: 'invalid_input' });
  return log.join('\n');
}

test('a package that is there as source only is refused by name, and nothing of it runs', async () => {
  const host = await openHost();
  for (const level of [sandbox, { level: 'process', warning: null, bubblewrap: null } as const]) {
    const log = await build({ host, uv, sandbox: level });
    expect(log).toMatch(/evil.*(no usable wheels|building from source is disabled|no wheels)/is);
    expect(log).not.toContain('->');
  }
  expect(host.connections()).toBe(0);
});

test.skipIf(whyNoJail !== null)(
  'what runs in a build reaches no file, variable or port of the worker, but the index',
  async () => {
    const host = await openHost();
    const log = await build({ host, uv: carelessUv(), sandbox });
    expect(log).toContain('the attack is over');
    expect(log).toContain('the index -> 200');
    expect(log).toContain('a file -> FileNotFoundError');
    expect(log).toContain('the worker -> FileNotFoundError');
    expect(log).toContain('a port -> ConnectionRefusedError');
    expect(log).toMatch(/the proxy -> HTTP\/1\.1 403/);
    expect(log).toContain(`A connection to 127.0.0.1:${host.port} was refused`);
    expect(log).not.toContain('secret of');
    expect(host.connections()).toBe(0);
  },
);
