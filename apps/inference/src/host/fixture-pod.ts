// A pod for the host's tests: speaks the pod protocol and behaves as the name of its first model says.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HostToPod, PodSpec, PodToHost } from '@pademelon/contracts';

function tell(message: PodToHost): void {
  process.send?.(message);
}

function block(): void {
  for (;;);
}

function serve(spec: PodSpec): void {
  const behaviour = spec.models[0]?.name ?? '';
  if (behaviour === 'refuse') {
    tell({ type: 'failed', reason: 'The model is not a model.' });
    process.disconnect();
    return;
  }
  if (behaviour === 'crash') process.exit(3);
  if (behaviour === 'stuck') block();
  const server = createServer((request, response) => {
    if (request.url === '/block') block();
    if (request.url === '/allocate') hoard.push(Buffer.alloc(300 * 2 ** 20, 1));
    response.end(JSON.stringify({ pid: process.pid, key: spec.key, environment: process.env, spec }));
  });
  server.listen(0, spec.bindAddress, () => {
    tell({ type: 'ready', port: (server.address() as AddressInfo).port, loadMs: 1 });
  });
  const alive = { type: 'alive', requests: 0, errors: 0, queued: 0, logged: 7, loggedRows: 70 } as const;
  setInterval(() => tell(alive), 200);
  process.on('SIGTERM', () => tell({ type: 'leaving' }));
  process.on('message', (message: HostToPod) => {
    if (message.type !== 'drain') return;
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

const hoard: Buffer[] = [];
process.once('message', (message: HostToPod) => {
  if (message.type === 'load') serve(message.spec);
});
process.on('disconnect', () => process.exit(0));
