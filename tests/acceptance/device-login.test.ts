import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { describe, expect, inject, it } from 'vitest';
import { approveOverHttp } from './support/approve-device.ts';
import { runNotebook } from './support/notebook.ts';
import { requestToken, restClient } from './support/rest-client.ts';
import { until } from './support/until.ts';

const platform = inject('platform');
const devicePath = '/auth/realms/master/protocol/openid-connect/auth/device';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const chromiumPath = '/usr/bin/chromium';

// The notebook prints an address and waits; approving there lets it go on.
runNotebook('device_login', {
  onLine(line) {
    const address = /(http\S+user_code=\S+)/.exec(line)?.[1];
    if (address !== undefined) void approveOverHttp(address, platform).catch((error) => console.error(error));
  },
});

async function startDeviceLogin(): Promise<{
  device_code: string;
  interval: number;
  verification_uri_complete: string;
}> {
  const answer = await restClient(platform.url, '').send(devicePath, {
    body: new URLSearchParams({ client_id: 'sdk-client' }),
  });
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text);
}

const poll = (device_code: string) => requestToken(platform.url, { grant_type: deviceGrant, device_code });

describe('The device log-in', () => {
  it('is pending until somebody decides, and refused when he refuses', async () => {
    const device = await startDeviceLogin();
    expect(device).toMatchObject({ interval: expect.any(Number), expires_in: expect.any(Number) });
    const pending = await poll(device.device_code);
    expect(pending.status).toBe(400);
    expect(['authorization_pending', 'slow_down']).toContain(JSON.parse(pending.text).error);
    await approveOverHttp(device.verification_uri_complete, platform, 'refuse');
    const refused = await until(
      async () => {
        const answer = await poll(device.device_code);
        return !/authorization_pending|slow_down/.test(answer.text) && answer;
      },
      { withinMs: 30_000, everyMs: device.interval * 1000, what: 'the refusal' },
    );
    expect(JSON.parse(refused.text).error).toBe('access_denied');
  });

  it('is approved in a real browser without running any script', async ({ skip }) => {
    if (!existsSync(chromiumPath)) {
      if (process.env['CI']) expect.fail(`${chromiumPath} is missing`);
      return skip(`${chromiumPath} is missing`);
    }
    const device = await startDeviceLogin();
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(device.verification_uri_complete);
      await page.fill('input[name=username]', platform.username);
      await page.fill('input[name=password]', platform.password);
      await page.click('button[value=login]');
      await page.click('button[value=approve]');
      expect(await page.textContent('h1')).toBe('Approved');
    } finally {
      await browser.close();
    }
    const granted = await until(
      async () => {
        const answer = await poll(device.device_code);
        return answer.status === 200 && answer;
      },
      { withinMs: 30_000, everyMs: device.interval * 1000, what: 'a token' },
    );
    expect(JSON.parse(granted.text).access_token).toBeTypeOf('string');
  });
});
