// Runs inside the bare Debian on its own old Node.js, so plain JavaScript: starts the product twice with `npm start`,
// logs in, stops it with SIGTERM, and prints what it saw as one line of JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const url = `http://127.0.0.1:${process.env.PORT}`;

async function runOnce() {
  const startedAt = Date.now();
  const npm = spawn('npm', ['start'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = once(npm, 'exit');
  while (!output.includes('Ctrl-C stops it.')) {
    if (npm.exitCode !== null) throw new Error(`npm start ended with ${npm.exitCode}:\n${output}`);
    await delay(50);
  }
  const seconds = (Date.now() - startedAt) / 1000;
  const health = await (await fetch(`${url}/healthz`)).json();
  const { username, password } = JSON.parse(readFileSync('.pademelon/credentials.json', 'utf8'));
  const token = await fetch(`${url}/auth/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'sdk-client', grant_type: 'password', username, password }),
  });
  npm.kill('SIGTERM');
  await ended;
  return { seconds, health: health.status, logIn: token.status, hasToken: 'access_token' in (await token.json()) };
}

/** Every process in here but the namespace's first and this one. */
function otherProcesses() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== '1' && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      } catch {
        return '';
      }
    })
    .filter((command) => command !== '');
}

async function leftovers() {
  for (let waited = 0; waited < 5_000 && otherProcesses().length > 0; waited += 50) await delay(50);
  return otherProcesses();
}

const first = await runOnce();
const leftAfterFirst = await leftovers();
const second = await runOnce();
const leftAfterSecond = await leftovers();
const credentialsMode = (statSync('.pademelon/credentials.json').mode & 0o777).toString(8);
console.log(
  JSON.stringify({
    node: process.version,
    uid: process.getuid(),
    first,
    leftAfterFirst,
    second,
    leftAfterSecond,
    credentialsMode,
  }),
);
