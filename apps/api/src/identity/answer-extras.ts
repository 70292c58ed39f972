import type { OidcPayloadStore } from '@pademelon/database';
import type { UserService } from '@pademelon/domain';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { approveDevice } from './approve-device.ts';
import { pollIntervalSeconds } from './identity-dependencies.ts';
import { deviceGrant } from './provider-configuration.ts';

/** A poll may come this much too soon: devices wait exactly the interval, and clocks and networks jitter. */
const toleranceSeconds = 0.5;

/**
 * What the SDKs read and oidc-provider leaves out of its answers: `interval` for devices, `refresh_expires_in` beside a
 * refresh token, and `slow_down` for a device that polls too often.
 */
export function addAnswerExtras(provider: Provider, payloads: OidcPayloadStore): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
    await next();
    const body: unknown = ctx.body;
    if (!isObject(body)) return;
    if (ctx.oidc?.route === 'device_authorization' && ctx.status === 200) body['interval'] = pollIntervalSeconds;
    if (ctx.oidc?.route !== 'token') return;
    if (ctx.status === 200) body['refresh_expires_in'] = ctx.oidc.entities.RefreshToken?.remainingTTL ?? 0;
    if (body['error'] === 'authorization_pending' && (await isTooSoon(ctx, payloads))) {
      body['error'] = 'slow_down';
      body['error_description'] = `poll at most every ${pollIntervalSeconds} seconds`;
    }
  });
}

async function isTooSoon(ctx: KoaContextWithOIDC, payloads: OidcPayloadStore): Promise<boolean> {
  const { device_code: deviceCode, grant_type: grantType } = ctx.oidc.params ?? {};
  if (grantType !== deviceGrant || typeof deviceCode !== 'string') return false;
  return payloads.notePoll(deviceCode, pollIntervalSeconds - toleranceSeconds);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value) && !('pipe' in value);
}

/** With log-in off every caller is the first user, so a device that asks is that user at once. */
export function approveDevicesAtOnce(provider: Provider, payloads: OidcPayloadStore, users: UserService): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
    await next();
    if (ctx.oidc?.route !== 'device_authorization' || ctx.status !== 200) return;
    const user = await users.findFirst();
    const { user_code: userCode } = ctx.body as { user_code: string };
    if (user !== null) await approveDevice({ provider, payloads }, userCode, user.id);
  });
}
