import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { waitUntil } from '@pademelon/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorkerTestBench, processesWith, testRunSettings, type WorkerTestBench } from './worker-test-bench.ts';

let bench: WorkerTestBench;
/** Stands for the database, the queue or any other service of this machine. */
let service: Server;
let servicePort: number;

beforeAll(async () => {
  bench = await openWorkerTestBench();
  service = createServer((socket) => socket.end('secret of the service'));
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  servicePort = (service.address() as { port: number }).port;
});
afterAll(async () => {
  service.close();
  await bench.close();
});

/** Tries each expression in the jail; resolves to what it gave, or the name of the error. */
async function attempt(expressions: readonly string[], setup = ''): Promise<string[]> {
  const code = `${setup}
for expression in ${JSON.stringify(expressions)}:
    try:
        print("gave", repr(eval(expression))[:300])
    except BaseException as error:
        print(type(error).__name__, getattr(error, "errno", ""))`;
  const run = await bench.run({ code });
  const answers = run.lines.filter((line) => !line.startsWith('[pademelon]'));
  expect(answers).toHaveLength(expressions.length);
  return answers;
}

describe('the code of a run sees nothing of the server', () => {
  test('in any environment, memory or file system of its processes', async () => {
    process.env['PADEMELON_SECRET_OF_THE_TEST'] = 'never-in-a-jail';
    const code = `import os, glob
for pid in sorted(int(p) for p in os.listdir("/proc") if p.isdigit()):
    print(pid, open("/proc/%d/cmdline" % pid).read().split("\\0")[0], sorted(v.split("=")[0] for v in open("/proc/%d/environ" % pid).read().split("\\0") if v))
for path in ["/proc/1/environ", "/proc/self/root", "/proc/1/root", "/proc/1/cwd"]:
    try: print(path, os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError as error: print(path, type(error).__name__)
print(glob.glob("/root*/*"), glob.glob("/home/*"), os.path.exists("${bench.folder}"), glob.glob("/run/pademelon/*"))`;
    const run = await bench.run({ code });
    delete process.env['PADEMELON_SECRET_OF_THE_TEST'];
    const log = run.lines.join('\n');
    expect(run.state).toBe('success');
    expect(log).not.toContain('never-in-a-jail');
    expect(log).not.toContain('PADEMELON_SECRET');
    expect(log).not.toContain('DATABASE_URL');
    // The jail's first processes and main.py: nothing of the machine.
    expect(run.lines.filter((line) => /^\d+ /.test(line)).length).toBeLessThanOrEqual(3);
    expect(run.lines.at(-1)).toMatch(/^\[\] \['\/home\/jovyan'\] False/);
  });

  test('not the memory of the worker, of its supervisor or of anything else outside', async () => {
    const pids = [process.pid, process.ppid];
    const answers = await attempt(
      pids.flatMap((pid) => [`open("/proc/${pid}/mem", "rb").read(1)`, `open("/proc/${pid}/environ").read()`]),
    );
    for (const answer of answers) expect(answer).toBe('FileNotFoundError 2');
  });

  test('not the folders of other runs, and it cannot write what it sees', async () => {
    writeFileSync(join(bench.folder, 'of-another-run'), 'secret');
    const answers = await attempt([
      `open(${JSON.stringify(join(bench.folder, 'of-another-run'))}).read()`,
      'open("/usr/evil", "w")',
      'open("/opt/environment/evil", "w")',
      'open("/run/pademelon/jail-init.py", "a")',
      'open("/etc/passwd", "a")',
      'open("/evil", "w")',
    ]);
    expect(answers[0]).toBe('FileNotFoundError 2');
    for (const answer of answers.slice(1)) expect(answer).toMatch(/^(OSError 30|PermissionError 1\d?)$/);
  });
});

describe('the network of a run', () => {
  const connectTo = (host: string, port: number | string): string =>
    `socket.create_connection((${JSON.stringify(host)}, ${port}), 3).recv(99)`;

  test('does not lead to services of this machine, to private or to metadata addresses', async () => {
    const hosts = [
      '127.0.0.1',
      'localhost',
      '::1',
      '::ffff:127.0.0.1',
      '169.254.169.254',
      '::ffff:a9fe:a9fe',
      '10.0.0.1',
    ];
    const answers = await attempt(
      hosts.map((host) => connectTo(host, host.includes('169.254') || host.includes('a9fe') ? 80 : servicePort)),
      'import socket',
    );
    for (const answer of answers) expect(answer).not.toContain('gave');
  });

  test('does not lead to sockets in files or in the abstract, where databases of this machine listen', async () => {
    const path = join(bench.folder, 'service.sock');
    const name = `pademelon-test-${randomUUID()}`;
    const listeners = [path, `\0${name}`].map((place) => createServer((socket) => socket.end('secret')).listen(place));
    await Promise.all(listeners.map((listener) => once(listener, 'listening')));
    const code = '(lambda s, place: (s.connect(place), s.recv(9)))(socket.socket(socket.AF_UNIX), PLACE)';
    const answers = await attempt(
      [JSON.stringify(path), `"\\0${name}"`].map((place) => code.replace('PLACE', () => place)),
      'import socket',
    );
    for (const listener of listeners) listener.close();
    expect(answers).toEqual(['FileNotFoundError 2', 'ConnectionRefusedError 111']);
  });

  test('does not lead there through the proxy either', async () => {
    const targets = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'];
    const answers = await attempt(
      [...targets.map((host) => `ask("${host}:${servicePort}")`), 'ask("169.254.169.254:80")'],
      `import os, socket
def ask(target):
    proxy = socket.create_connection(("127.0.0.1", int(os.environ["HTTP_PROXY"].rsplit(":", 1)[1])), 3)
    proxy.sendall(("CONNECT %s HTTP/1.1\\r\\n\\r\\n" % target).encode())
    return proxy.recv(99).split(b"\\r\\n")[0]`,
    );
    for (const answer of answers) expect(answer).toMatch(/HTTP\/1\.1 40[03] /);
  });

  test('leads to addresses that the operator allows, and the refusal of others is in the log', async () => {
    const code = `import socket
print(socket.create_connection(("127.0.0.1", ${servicePort}), 3).recv(99))
import urllib.request
try: urllib.request.urlopen("http://10.1.2.3:81/", timeout=3)
except Exception as error: print("refused", error)`;
    const allowed = [{ host: '127.0.0.1', port: servicePort }];
    const { lines } = await bench.run({ code }, { settings: { allowed } });
    expect(lines.join('\n')).toContain("b'secret of the service'");
    expect(lines.join('\n')).toContain('refused HTTP Error 403');
    expect(lines.join('\n')).toContain('[pademelon] a connection to 10.1.2.3:81 was refused');
  });

  test('has no raw sockets, and a listener inside is not heard outside', async () => {
    const answers = await attempt(
      ['socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)', 'socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'],
      'import socket',
    );
    for (const answer of answers) expect(answer).toMatch(/^PermissionError/);
    const port = servicePort + 1;
    const id = await bench.addRun({
      code: `import socket, time
s = socket.socket(); s.bind(("0.0.0.0", ${port})); s.listen()
print("listening", flush=True); time.sleep(300)`,
    });
    const executor = bench.executor();
    const execution = executor.execute(await bench.claim(id));
    await waitUntil('it listens', async () => (await bench.read(id)).lines.includes('listening'));
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    executor.stopAll();
    await execution;
  });
});

describe('the code of a run has no capability and changes neither its network nor the kernel nor devices', () => {
  test.each([
    ['that stays as it is', []],
    ['with ports below 1024', [{ host: 'db.example', port: 443 }]],
    ['with IP addresses', [{ host: '10.0.0.5', port: 9050 }]],
    ['with both', [{ host: '10.0.0.5', port: 443 }]],
  ])('%s', async (_name, allowed) => {
    const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
    const code = `import ctypes, errno, fcntl, os, socket, struct
for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
    status = open("/proc/%d/status" % pid).read().split("\\n")
    print("process", *[line.split("\\t")[1] for line in status if line.startswith(("Cap", "NoNewPrivs"))])
def answer_of(attempt):
    try: return "done %s" % attempt()
    except OSError as error: return errno.errorcode[error.errno]
def netlink(address):
    message = struct.pack("=BBBBIHH", 2, 32, 0, 0, 1, 8, 2) + socket.inet_aton(address)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(message), 20, 5, 0, 0) + message)
        code = -struct.unpack("=i", kernel.recv(4096)[16:20])[0]
    if code != 0: raise OSError(code, "")
def ioctl(address):
    name = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address))
    with socket.socket() as any: fcntl.ioctl(any, 0x8916, name)
def capset():
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = struct.pack("=Ii", 0x20080522, 0), struct.pack("=IIIIII", 1 << 12, 1 << 12, 0, 0, 0, 0)
    if libc.capset(header, data) != 0: raise OSError(ctypes.get_errno(), "")
print("netlink", answer_of(lambda: netlink("10.9.9.9")))
print("ioctl", answer_of(lambda: ioctl("10.9.9.8")))
print("capset", answer_of(capset))
print("listen", answer_of(lambda: socket.create_server(("10.9.9.9", 9051))))
for file in ("sys/net/ipv4/ip_unprivileged_port_start", "sys/kernel/core_pattern", "sysrq-trigger", "mtrr"):
    print(file, answer_of(lambda: open("/proc/" + file, "w").close()))
for device in ${JSON.stringify(devices)}:
    print(device, answer_of(lambda: os.chmod("/dev/" + device, 0o666)))
print(os.write(os.open("/dev/null", os.O_WRONLY), b"works"), len(open("/dev/urandom", "rb", 0).read(5)))`;
    const { lines, state } = await bench.run({ code }, { settings: { allowed } });
    expect(state).toBe('success');
    const processes = lines.filter((line) => line.startsWith('process'));
    const none = '0000000000000000';
    // CapInh, CapPrm, CapEff, CapBnd, CapAmb, NoNewPrivs; of bubblewrap itself, of jail-init.py and of main.py.
    expect(processes).toEqual(Array(3).fill(`process ${Array(5).fill(none).join(' ')} 1`));
    expect(lines.slice(processes.length)).toEqual([
      'netlink EPERM',
      'ioctl EPERM',
      'capset EPERM',
      'listen EADDRNOTAVAIL',
      'sys/net/ipv4/ip_unprivileged_port_start EROFS',
      'sys/kernel/core_pattern EROFS',
      expect.stringMatching(/^sysrq-trigger (EROFS|ENOENT)$/),
      expect.stringMatching(/^mtrr (EROFS|ENOENT)$/),
      // A worker that is not root does not own them in the first place.
      ...devices.map((name) => `${name} ${process.getuid?.() === 0 ? 'EROFS' : 'EPERM'}`),
      '5 5',
    ]);
  });
});

describe('calls to the kernel that a model job has no use for', () => {
  test.each([
    ['ptrace', 101, '(0, 0, 0, 0)'],
    ['mount', 165, '(b"none", b"/tmp", b"tmpfs", 0, 0)'],
    ['unshare', 272, '(0x10000000,)'],
    ['bpf', 321, '(0, 0, 0)'],
    ['keyctl', 250, '(0, 0, 0, 0, 0)'],
    ['io_uring_setup', 425, '(8, 0)'],
    ['perf_event_open', 298, '(0, 0, -1, -1, 0)'],
    ['userfaultfd', 323, '(0,)'],
    ['setns', 308, '(0, 0)'],
    ['kexec_load', 246, '(0, 0, 0, 0)'],
  ])('%s is refused', async (_name, number, args) => {
    if (process.arch !== 'x64') return;
    const [answer] = await attempt(
      [`(libc.syscall(${number}, *${args}), ctypes.get_errno())`],
      'import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)',
    );
    expect(answer).toMatch(/^gave \(-1, (1|38|13)\)$/);
  });
});

describe('code that takes more than its share ends with the reason, and the next run is well', () => {
  test('memory', async () => {
    const run = await bench.run({ code: 'hoard = []\nwhile True: hoard.append(bytearray(20_000_000))' });
    expect(run).toMatchObject({ state: 'failure', reason: 'out_of_memory' });
    expect(run.text).toContain('512 MiB');
  });

  test('memory by way of files in /dev/shm and /tmp, which have an end', async () => {
    const code = `import os
for path in ("/dev/shm/x", "/tmp/x", "/home/jovyan/x"):
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True: os.write(file, bytes(1_000_000))
    except OSError as error: print(path, error.errno, os.fstat(file).st_size // 1_000_000)
    os.ftruncate(file, 0)`;
    const run = await bench.run({ code });
    expect(run.state).toBe('success');
    expect(run.lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '/dev/shm/x 28',
      '/tmp/x 28',
      '/home/jovyan/x 28',
    ]);
    for (const line of run.lines) expect(Number(line.split(' ')[2])).toBeLessThanOrEqual(68);
  });

  test('processes', async () => {
    const mark = `fork-bomb-${randomUUID().slice(0, 8)}`;
    const code = `import os, sys, time
print("${mark}")
while True:
    try: os.fork()
    except OSError: pass`;
    const limits = { ...testRunSettings.limits, processes: 40 };
    const startedAt = performance.now();
    const run = await bench.run({ code }, { settings: { limits } });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(run).toMatchObject({ state: 'failure', reason: 'signal' });
    expect(run.text).toContain('more than 40 processes');
    expect(processesWith(mark)).toEqual([]);
  });

  test('threads, which the kernel refuses beyond a number', async () => {
    const code = `import resource, threading
print(resource.getrlimit(resource.RLIMIT_NPROC))
count, end = 0, threading.Event()
try:
    for count in range(3000): threading.Thread(target=end.wait, daemon=True).start()
except RuntimeError: print("refused")
print(count, flush=True)
end.set()`;
    const run = await bench.run({ code });
    const ceiling = 4 * testRunSettings.limits.processes;
    expect(run.lines.slice(0, 2)).toEqual([`(${ceiling}, ${ceiling})`, 'refused']);
    expect(Number(run.lines[2])).toBeLessThanOrEqual(ceiling);
  });

  test('files', async () => {
    const code = `import itertools
for n in itertools.count(): open("/tmp/%d" % n, "w").close()`;
    const run = await bench.run({ code });
    expect(run).toMatchObject({ state: 'failure', reason: 'disk_full' });
  });

  test('after all of them a run is as good as ever', async () => {
    expect(await bench.run({ code: 'print("well")' })).toMatchObject({ state: 'success', lines: ['well'] });
  });
});

describe('files of the zip that Python runs by itself', () => {
  test('act inside the jail only', async () => {
    const marker = `/tmp/pademelon-marker-${randomUUID()}`;
    const evil = `open(${JSON.stringify(marker)}, "w").write("x")`;
    const run = await bench.run({
      code: `import os\nprint(os.path.exists(${JSON.stringify(marker)}))`,
      files: { 'sitecustomize.py': evil, 'usercustomize.py': evil, 'evil.pth': `import os; ${evil}` },
    });
    expect(run.state).toBe('success');
    expect(existsSync(marker)).toBe(false);
  });
});
