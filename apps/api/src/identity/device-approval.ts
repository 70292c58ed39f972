import type { PendingDevice } from '@pademelon/database';
import { DomainError, LoginThrottle, type User } from '@pademelon/domain';
import { openSealedJson, sealJson } from '@pademelon/tokens';
import { approveDevice, normalizeUserCode } from './approve-device.ts';
import type { IdentityDependencies } from './identity-dependencies.ts';
import type { Issuer } from './issuer.ts';

export interface DeviceLogin {
  readonly user: User;
  readonly device: PendingDevice;
  readonly userCode: string;
  /** Proves the log-in in the next step; good for this code and five minutes. */
  readonly ticket: string;
}

interface Ticket {
  readonly userId: string;
  readonly userCode: string;
  readonly expiresAtMs: number;
}

const ticketSeconds = 300;
const ticketContext = 'device approval';

/**
 * The use case behind the approval page: somebody logs in with a code that a notebook printed, sees what asks, and
 * approves or refuses. There is no session: the ticket of the log-in is in the page's form and nowhere else, so no other
 * site can make a browser decide.
 */
export class DeviceApproval {
  readonly #identity: IdentityDependencies;
  readonly #issuer: Issuer;
  readonly #codeThrottle = new LoginThrottle({ now: Date.now });

  constructor(identity: IdentityDependencies, issuer: Issuer) {
    this.#identity = identity;
    this.#issuer = issuer;
  }

  /**
   * Throws as `UserService.logIn` does; `not_found` for a code that is unknown, expired or decided, which is told only
   * to somebody who logged in, and `overloaded` after too many of them.
   */
  async logIn(input: { userCode: string; username: string; password: string; address: string }): Promise<DeviceLogin> {
    const user = await this.#identity.users.logIn(input);
    const userCode = normalizeUserCode(input.userCode);
    const device = await this.#codeThrottle.attempt({ address: input.address, username: user.id }, () =>
      this.#identity.payloads.findPendingDevice(userCode),
    );
    if (device === null) throw unknownCode();
    const ticket: Ticket = { userId: user.id, userCode, expiresAtMs: Date.now() + ticketSeconds * 1000 };
    const sealed = sealJson(ticket, this.#identity.pageKey, ticketContext);
    return { user, device, userCode, ticket: sealed.toString('base64url') };
  }

  /** Throws `unauthenticated` when the ticket is not good any more, `not_found` when the code is not. */
  async decide(ticketText: string, isApproved: boolean): Promise<void> {
    const { payloads, users } = this.#identity;
    const ticket = this.#openTicket(ticketText);
    const user = ticket && (await users.findEnabled(ticket.userId));
    if (!ticket || !user || ticket.expiresAtMs < Date.now()) {
      throw new DomainError('unauthenticated', 'The log-in on this page has expired; log in again.');
    }
    const isDecided = isApproved
      ? await approveDevice({ provider: this.#issuer.provider, payloads }, ticket.userCode, user.id)
      : await payloads.decideDevice(ticket.userCode, { error: 'access_denied' }, null);
    if (!isDecided) throw unknownCode();
  }

  #openTicket(text: string): Ticket | null {
    try {
      return openSealedJson(Buffer.from(text, 'base64url'), this.#identity.pageKey, ticketContext) as Ticket;
    } catch {
      // Not sealed by us, or changed since: as good as none.
      return null;
    }
  }
}

function unknownCode(): DomainError {
  return new DomainError(
    'not_found',
    'This code is unknown, has expired or was used already. Start the log-in in your notebook again for a new one.',
  );
}
