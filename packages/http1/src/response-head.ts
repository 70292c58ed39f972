import { endOfLine, MessageHead } from './message-head.ts';
import { isFieldValue, SPACE } from './octets.ts';
import { ProtocolError } from './protocol-error.ts';

const version = Buffer.from('HTTP/1.');

/** How the end of a body is found. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close';

/** The head of a response: `HTTP/1.1 200 OK` and its headers. */
export class ResponseHead extends MessageHead {
  status = 0;
  /** Whether the request was HEAD, whose answer has the head of a body and no body. */
  answersHead = false;

  /** An answer before the answer, such as 100 Continue. */
  get isInterim(): boolean {
    return this.status < 200;
  }

  get framing(): BodyFraming {
    if (this.answersHead || this.status < 200 || this.status === 204 || this.status === 304) return 'none';
    if (this.isChunked) return 'chunked';
    return this.contentLength >= 0 ? 'length' : 'until-close';
  }

  override reset(): void {
    super.reset();
    this.status = 0;
  }

  protected override scanStartLine(bytes: Buffer, start: number, limit: number): number {
    for (let i = 0; i < version.length; i++) {
      if (start + i >= limit) return -1;
      if (bytes[start + i] !== version[i]) throw new ProtocolError(400, statusLineSentence);
    }
    const at = start + version.length;
    if (at + 5 > limit) return -1;
    const minor = bytes[at]! - 48;
    if ((minor !== 0 && minor !== 1) || bytes[at + 1] !== SPACE) throw new ProtocolError(400, statusLineSentence);
    this.minorVersion = minor;
    let status = 0;
    for (let i = at + 2; i < at + 5; i++) {
      const digit = bytes[i]! - 48;
      if (digit < 0 || digit > 9) throw new ProtocolError(400, statusLineSentence);
      status = status * 10 + digit;
    }
    if (status < 100 || status > 599 || status === 101) throw new ProtocolError(400, statusLineSentence);
    this.status = status;
    let i = at + 5;
    if (i < limit && bytes[i] === SPACE) while (i < limit && isFieldValue[bytes[i]!] === 1) i++;
    return endOfLine(bytes, i, limit);
  }

  protected override finish(): void {
    if (this.isChunked && this.minorVersion === 0) throw new ProtocolError(400, 'HTTP/1.0 has no transfer-encoding.');
  }
}

const statusLineSentence = 'The status line must be HTTP/1.1 or HTTP/1.0, a status from 100 to 599 and a reason.';
