import { timingSafeEqual } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { issuerUrl, randomClientSecrets, type SigningKey } from '@pademelon/tokens';
import { Provider } from 'oidc-provider';
import { isDatabaseAway } from '../plugins/error-handler.ts';
import { addAnswerExtras, approveDevicesAtOnce } from './answer-extras.ts';
import type { IdentityDependencies } from './identity-dependencies.ts';
import { registerPasswordGrant } from './password-grant.ts';
import { providerConfiguration } from './provider-configuration.ts';
import { rememberAddress } from './request-address.ts';

/** How often keys are looked at and expired payloads deleted. A key is published for a minute before it signs. */
const maintenanceIntervalMs = 20_000;

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The OpenID-Connect issuer: oidc-provider with our keys, storage and grants. It is made anew when the keys change. */
export class Issuer {
  readonly issuer: string;
  readonly #identity: IdentityDependencies;
  #provider: Provider | undefined;
  #handle: Handler | undefined;
  #keyIds = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(identity: IdentityDependencies) {
    this.#identity = identity;
    this.issuer = issuerUrl(identity.publicUrl);
  }

  async start(): Promise<void> {
    await this.runOnce();
    this.#timer = setInterval(() => {
      this.runOnce().catch((error: unknown) => this.#identity.logger.warn({ err: error }, 'issuer maintenance failed'));
    }, maintenanceIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes up changed keys and deletes what has expired. */
  async runOnce(): Promise<void> {
    const keys = await this.#identity.signingKeys.load();
    const keyIds = keys.map((key) => key.kid).join(' ');
    if (keyIds !== this.#keyIds) {
      this.#provider = this.#makeProvider(keys);
      this.#handle = this.#provider.callback() as Handler;
      this.#keyIds = keyIds;
    }
    await this.#identity.payloads.sweep();
  }

  get provider(): Provider {
    if (this.#provider === undefined) throw new Error('The issuer has not been started.');
    return this.#provider;
  }

  /** Answers a request whose URL starts after the issuer's path. The body must not have been read. */
  async handle(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    rememberAddress(request, address);
    if (this.#handle === undefined) throw new Error('The issuer has not been started.');
    await this.#handle(request, response);
  }

  #makeProvider(keys: readonly SigningKey[]): Provider {
    const { users, payloads, accessTokenSeconds, isAuthOff, logger } = this.#identity;
    const provider = new Provider(this.issuer, providerConfiguration(this.issuer, keys, this.#identity));
    registerPasswordGrant(provider, users, accessTokenSeconds);
    addAnswerExtras(provider, payloads);
    if (isAuthOff) approveDevicesAtOnce(provider, payloads, users);
    // Links come from PUBLIC_URL; oidc-provider would take them from the Host header.
    provider.OIDCContext.prototype.urlFor = (name: string, options?: Record<string, unknown>) =>
      provider.urlFor(name, options);
    provider.Client.prototype.compareClientSecret = function compareDigests(actual: string): boolean {
      return isSameDigest(String(this['clientSecret']), actual);
    };
    provider.on('server_error', (ctx, error) => {
      if (isDatabaseAway(error)) {
        ctx.status = 503;
        ctx.body = { error: 'temporarily_unavailable', error_description: 'the database does not answer; try again' };
      } else {
        logger.error({ err: error }, 'the issuer failed');
      }
    });
    (provider as EventEmitter).on('error', (error) => logger.error({ err: error }, 'the issuer failed'));
    return provider;
  }
}

function isSameDigest(digest: string, secret: string): boolean {
  const actual = randomClientSecrets.hash(secret);
  return digest.length === actual.length && timingSafeEqual(Buffer.from(digest), Buffer.from(actual));
}
