import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../packages/runtime/src/ports.ts';
import { prepareBareDebian, whyNoBareDebian } from './bare-debian.ts';
import { type FreshCheckout, makeFreshCheckout } from './fresh-checkout.ts';

const repository = resolve(import.meta.dirname, '../..');
const obstacle = whyNoBareDebian();

// Where this runs for everybody it must run; on one's own machine it may be impossible.
it.runIf(obstacle !== undefined && process.env['CI'])('has what it needs', () => expect.fail(obstacle));

describe.skipIf(obstacle !== undefined)(`on a fresh Debian 12 (${obstacle ?? 'by a user who is not root'})`, () => {
  let checkout: FreshCheckout;

  beforeAll(() => {
    checkout = makeFreshCheckout(prepareBareDebian(join(repository, '.cache')), repository);
  });

  afterAll(() => checkout?.remove());

  it('npm start installs, builds, starts and lets the first user in, and again within seconds', async () => {
    const port = String(await findFreePort());
    const { status, output } = await checkout.run(['node', 'tests/fresh-machine/start-scenario.mjs'], { PORT: port });
    expect(status, output).toBe(0);
    const seen = JSON.parse(output.trim().split('\n').at(-1) as string);
    console.log(`npm start on a fresh machine: ${seen.first.seconds} s, the second time ${seen.second.seconds} s`);
    expect(seen.node).toMatch(/^v18\./);
    expect(seen.uid).toBe(1000);
    for (const run of [seen.first, seen.second])
      expect(run).toMatchObject({ health: 'ok', logIn: 200, hasToken: true });
    expect([...seen.leftAfterFirst, ...seen.leftAfterSecond]).toEqual([]);
    expect(seen.credentialsMode).toBe('600');
    // Two cores shared with other tests: five seconds is the aim, measured above; this is where it is broken.
    expect(seen.second.seconds).toBeLessThan(15);
  });

  // Left out here: acceptance, which needs a Python 3.9 that Debian 12 has not, and this test itself.
  it('npm test passes', async () => {
    const stages = ['lint', 'generate', 'types', 'rooms', 'sizes', 'unit', 'integration', 'build', 'launcher'];
    const { status, output } = await checkout.run(['npm', 'test', '--', ...stages]);
    const lastLine = output.trim().split('\n').at(-1);
    console.log(`npm test on a fresh machine: ${lastLine}`);
    expect(lastLine, output.slice(-8_000)).toMatch(/^\d+ passed, 0 failed/);
    expect(status).toBe(0);
  });
});
