import { existsSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunSettings } from './workbench/run-settings.ts';
import { type EndedRun, openWorkerTestBench, type WorkerTestBench, whyNoJail } from './worker-test-bench.ts';

const noJail = await whyNoJail();
if (noJail !== null) console.log(`What runs may reach is not tested: ${noJail}`);
const hasIpv6 = existsSync('/proc/net/if_inet6');
if (!hasIpv6) console.log('What runs reach by IPv6 is not tested: this machine has none');

let bench: WorkerTestBench;
/** Stands for every host outside: answers in HTTP to whatever it is told. */
let world: Server;
/** Addresses to which connections went out, as `address port`. */
const reached: string[] = [];
const names = new Map([
  ['db.example', '8.8.8.1'],
  ['files.example', '8.8.8.2'],
  ['other.example', '8.8.8.3'],
  ['private.example', '10.0.0.8'],
]);

beforeAll(async () => {
  bench = await openWorkerTestBench();
  world = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nreached'));
  });
  await new Promise<void>((done) => world.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  world.close();
  await bench.close();
});
afterEach(() => {
  bench.connections.length = 0;
  reached.length = 0;
});

/** Ways to a host that programs take: they know nothing of a proxy, do as its settings say, or use it for everything. */
const ways = `
import os, socket, urllib.request
def raw(host, port):
    with socket.create_connection((host, port), 5) as connection:
        connection.sendall(b"hello")
        return connection.makefile("rb").read()[-7:]
def http(url):
    return urllib.request.urlopen(url, timeout=5).read()
def http_without_proxy(url):
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).read()
def http_by_proxy(url):
    request = urllib.request.Request(url)
    request.set_proxy(os.environ["HTTP_PROXY"].split("://")[1], "http")
    return http_without_proxy(request)
`;

/** Evaluates the expressions in a run; `answers` has what each gave or the name of its error. */
async function attempt(
  expressions: readonly string[],
  settings: Partial<RunSettings> = {},
): Promise<EndedRun & { answers: string[] }> {
  const code = `${ways}
for expression in ${JSON.stringify(expressions)}:
    try: print("gave", eval(expression))
    except OSError as error: print(type(error).__name__)`;
  const outside = {
    resolve: async (host: string) => [names.get(host)].filter((address) => address !== undefined),
    connect: async (address: string, port: number) => {
      reached.push(`${address} ${port}`);
      return connect({ port: (world.address() as { port: number }).port, host: '127.0.0.1', allowHalfOpen: true });
    },
  };
  const run = await bench.run({ code }, { settings, outside });
  expect(run.state).toBe('success');
  return { ...run, answers: run.lines.filter((line) => !line.startsWith('[pademelon]')) };
}

const everyWay = (url: string): string[] => {
  const { hostname, port } = new URL(url);
  return [
    `raw("${hostname.replace(/[[\]]/g, '')}", ${port || 80})`,
    ...['http', 'http_without_proxy', 'http_by_proxy'].map((way) => `${way}("${url}")`),
  ];
};

describe.skipIf(noJail !== null)('a run reaches', () => {
  test.each([
    ['10.0.0.5', 9050],
    ['10.0.0.5', 81],
    ['169.254.1.1', 9050],
    ['8.8.8.8', 9050],
    ...(hasIpv6
      ? ([
          ['fd00::5', 9050],
          ['fd00::5', 81],
        ] as const)
      : []),
  ] as const)('the address %s at port %i that the operator allows, in every way', async (host, port) => {
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
    const { answers, lines } = await attempt(everyWay(url), { allowed: [{ host, port }] });
    expect(answers).toEqual(Array(4).fill("gave b'reached'"));
    expect(lines).toEqual(answers);
    expect(reached).toEqual(Array(4).fill(`${host} ${port}`));
  });

  test.each(['http://192.168.1.10:8080', 'http://192.168.1.10', ...(hasIpv6 ? ['http://[fd00::10]:8080'] : [])])(
    'the platform at %s, in every way',
    async (platformUrl) => {
      const { answers } = await attempt(['os.environ["WALLAROO_URL"]', ...everyWay(platformUrl)], { platformUrl });
      expect(answers).toEqual([`gave ${platformUrl}`, ...Array(4).fill("gave b'reached'")]);
    },
  );

  test('the hosts of linked connections under their own name, at their ports, and no other', async () => {
    bench.connections.push(
      { name: 'db', type: 'postgres', details: { host: 'db.example' } },
      { name: 'files', type: 'http', details: { url: 'https://files.example/', other: 'http://files.example' } },
      { name: 'number', type: 'postgres', details: { host: '8.8.8.9' } },
    );
    const linked = ['"db.example", 5432', '"files.example", 443', '"files.example", 80', '"8.8.8.9", 5432'];
    const others = ['"db.example", 5433', '"other.example", 5432', '"8.8.8.9", 5433', '"8.8.8.10", 5432'];
    const { answers } = await attempt([
      ...[...linked, ...others].map((place) => `raw(${place})`),
      ...['other.example:5432', 'db.example:5433'].map((place) => `http_by_proxy("http://${place}/")`),
    ]);
    expect(answers.slice(0, linked.length)).toEqual(Array(4).fill("gave b'reached'"));
    for (const answer of answers.slice(linked.length)) expect(answer).toMatch(/Error$|^gaierror$/);
    expect(reached).toEqual(['8.8.8.1 5432', '8.8.8.2 443', '8.8.8.2 80', '8.8.8.9 5432']);
  });

  test('no private address by linking it, and the refusal is in the log', async () => {
    const hosts = ['private.example', '10.0.0.7', '169.254.169.254', '127.0.0.1', ...(hasIpv6 ? ['fd00::7'] : [])];
    bench.connections.push(...hosts.map((host) => ({ name: host, type: 'postgres', details: { host } })));
    const { answers, lines } = await attempt(hosts.map((host) => `raw("${host}", 5432)`));
    for (const answer of answers) expect(answer).not.toContain('reached');
    expect(reached).toEqual([]);
    // Details of connections are hidden in logs, and a host is one of them.
    const refusal = '[pademelon] a connection to *****:5432 was refused or did not succeed';
    expect(lines.filter((line) => line === refusal)).toHaveLength(hosts.length);
  });

  test('what it may, also when a linked connection names what is no address of any host', async () => {
    const hosts = [
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      'ff02::1',
      'fe80::1',
      'fe80::1%lo',
      '::ffff:10.0.0.7',
      '10.7',
    ];
    bench.connections.push(...hosts.map((host) => ({ name: host, type: 'x', details: { host, port: 9050 } })));
    const { answers } = await attempt(everyWay('http://10.0.0.5:9050/'), {
      allowed: [{ host: '10.0.0.5', port: 9050 }],
    });
    expect(answers).toEqual(Array(4).fill("gave b'reached'"));
  });
});
