import { endOfLine, MessageHead } from './message-head.ts';
import { isTarget, isToken, SPACE } from './octets.ts';
import { ProtocolError } from './protocol-error.ts';

const version = Buffer.from('HTTP/1.');

/** The longest method name of the registry has 17 characters. */
const maxMethodBytes = 24;

/** The head of a request: `POST /path?query HTTP/1.1` and its headers. */
export class RequestHead extends MessageHead {
  #methodEnd = 0;
  #targetStart = 0;
  #targetEnd = 0;

  get method(): string {
    return this.bytes.toString('latin1', this.start, this.start + this.#methodEnd);
  }

  /** As it was sent, percent-encoding included: `/path?query` or `*`. */
  get target(): string {
    return this.bytes.toString('latin1', this.start + this.#targetStart, this.start + this.#targetEnd);
  }

  /** Whether the sender waits for `100 Continue` before it sends the body. */
  get expectsContinue(): boolean {
    return this.minorVersion === 1 && this.get('expect')?.toLowerCase() === '100-continue';
  }

  protected override scanStartLine(bytes: Buffer, start: number, limit: number): number {
    let i = start;
    while (i < limit && isToken[bytes[i]!] === 1) i++;
    if (i - start > maxMethodBytes) throw new ProtocolError(400, 'The request line must begin with a method.');
    if (i === limit) return -1;
    if (i === start || bytes[i] !== SPACE) throw new ProtocolError(400, 'The request line must begin with a method.');
    this.#methodEnd = i - start;
    const targetStart = ++i;
    while (i < limit && isTarget[bytes[i]!] === 1) i++;
    if (i === limit) return -1;
    if (i === targetStart || bytes[i] !== SPACE) {
      throw new ProtocolError(400, 'The request line must be a method, a target without spaces, and a version.');
    }
    this.#targetStart = targetStart - start;
    this.#targetEnd = i - start;
    return this.#scanVersion(bytes, i + 1, limit);
  }

  #scanVersion(bytes: Buffer, start: number, limit: number): number {
    for (let i = 0; i < version.length; i++) {
      if (start + i >= limit) return -1;
      if (bytes[start + i] !== version[i]) throw new ProtocolError(400, versionSentence);
    }
    const at = start + version.length;
    if (at >= limit) return -1;
    const minor = bytes[at]! - 48;
    if (minor !== 0 && minor !== 1) throw new ProtocolError(400, versionSentence);
    this.minorVersion = minor;
    return endOfLine(bytes, at + 1, limit);
  }

  protected override finish(): void {
    const target = this.bytes[this.start + this.#targetStart];
    const isAsterisk = target === 42 && this.#targetEnd - this.#targetStart === 1;
    if (target !== 47 && !isAsterisk) throw new ProtocolError(400, 'The request target must be a path.');
    if (this.isChunked && this.minorVersion === 0) throw new ProtocolError(400, 'HTTP/1.0 has no transfer-encoding.');
    const host = this.find('host');
    if (host < 0 && this.minorVersion === 1) throw new ProtocolError(400, 'The host header is missing.');
    for (let i = host + 1; host >= 0 && i < this.headerCount; i++) {
      if (this.isNamed(i, 'host')) throw new ProtocolError(400, 'A request must not have two host headers.');
    }
  }
}

const versionSentence = 'The version in the request line must be HTTP/1.1 or HTTP/1.0.';
