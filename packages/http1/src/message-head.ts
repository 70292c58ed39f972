import { COLON, COMMA, CR, equalsIgnoringCase, isFieldValue, isToken, LF, SPACE, TAB } from './octets.ts';
import { ProtocolError } from './protocol-error.ts';

export const maxHeadBytes = 16 * 1024;
export const maxHeaders = 100;

const nothing: Buffer = Buffer.alloc(0);

/**
 * The head of a request or response, scanned strictly and kept as offsets into its bytes: no object and no string a
 * header. One instance serves all messages of a connection, one after the other.
 *
 * Refused: what two parsers could read differently (both framings, a repeated content-length, folded lines, bare CR or
 * LF, NUL, spaces before a colon) and what is beyond `maxHeadBytes` or `maxHeaders`.
 */
export abstract class MessageHead {
  /** Where the head lies; valid until the connection hands the next bytes over. */
  bytes: Buffer = nothing;
  start = 0;
  /** Bytes of the complete head, its empty line included. */
  length = 0;

  headerCount = 0;
  /** -1 where the head declares none. */
  contentLength = -1;
  isChunked = false;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion = 1;
  /** Whether a header speaks to the next hop only, so that the head cannot be forwarded as it is. */
  hasHopByHop = false;

  /** Four offsets a header, relative to `start`: name start, name end, value start, value end. */
  readonly #offsets = new Uint16Array(4 * maxHeaders);
  /** Where the first line not yet scanned begins, relative to `start`. */
  #lineStart = 0;
  #isStartLineDone = false;
  #saysClose = false;
  #saysKeepAlive = false;

  /**
   * Scans bytes[start..end), which begin with the head; true when it is complete. When false, call again with the same
   * bytes and more behind them (in another buffer if need be): only the unfinished line is read again.
   */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes;
    this.start = start;
    const limit = Math.min(end, start + maxHeadBytes);
    if (!this.#isStartLineDone) {
      const next = this.scanStartLine(bytes, start, limit);
      if (next < 0) return this.#incomplete(end);
      this.#isStartLineDone = true;
      this.#lineStart = next - start;
    }
    for (;;) {
      const at = start + this.#lineStart;
      const next = this.#scanLine(bytes, at, limit);
      if (next < 0) return this.#incomplete(end);
      this.#lineStart = next - start;
      if (next === at + 2 && bytes[at] === CR) {
        this.length = this.#lineStart;
        this.finish();
        return true;
      }
    }
  }

  /** Forgets the message; `scan` then expects another. */
  reset(): void {
    this.bytes = nothing;
    this.start = 0;
    this.length = 0;
    this.headerCount = 0;
    this.contentLength = -1;
    this.isChunked = false;
    this.minorVersion = 1;
    this.hasHopByHop = false;
    this.#lineStart = 0;
    this.#isStartLineDone = false;
    this.#saysClose = false;
    this.#saysKeepAlive = false;
  }

  /** Whether the sender means to keep the connection after this message. */
  get isKeepAlive(): boolean {
    return this.minorVersion === 1 ? !this.#saysClose : this.#saysKeepAlive && !this.#saysClose;
  }

  /** Index of the first header of this name (given in lower case), or -1. */
  find(name: string): number {
    for (let i = 0; i < this.headerCount; i++) if (this.isNamed(i, name)) return i;
    return -1;
  }

  /** The value of the first header of this name (given in lower case). Bytes are read as Latin-1. */
  get(name: string): string | undefined {
    const index = this.find(name);
    return index < 0 ? undefined : this.valueAt(index);
  }

  isNamed(index: number, name: string): boolean {
    return equalsIgnoringCase(this.bytes, this.#offset(index, 0), this.#offset(index, 1), name);
  }

  /** The name as it was sent. */
  nameAt(index: number): string {
    return this.bytes.toString('latin1', this.#offset(index, 0), this.#offset(index, 1));
  }

  valueAt(index: number): string {
    return this.bytes.toString('latin1', this.#offset(index, 2), this.#offset(index, 3));
  }

  /** The value's bytes: a view, valid as long as the head is. */
  valueBytesAt(index: number): Buffer {
    return this.bytes.subarray(this.#offset(index, 2), this.#offset(index, 3));
  }

  /** Scans the first line of bytes[start..limit); returns where the next line begins, or -1 when it is unfinished. */
  protected abstract scanStartLine(bytes: Buffer, start: number, limit: number): number;

  /** Called when the head is complete, to refuse what only the whole shows. */
  protected abstract finish(): void;

  #incomplete(end: number): false {
    if (end - this.start >= maxHeadBytes) {
      throw new ProtocolError(431, `The head of a message may have at most ${maxHeadBytes} bytes.`);
    }
    return false;
  }

  #offset(index: number, part: 0 | 1 | 2 | 3): number {
    return this.start + this.#offsets[4 * index + part]!;
  }

  #scanLine(bytes: Buffer, at: number, limit: number): number {
    if (at >= limit) return -1;
    if (bytes[at] === CR) return endOfLine(bytes, at, limit);
    let i = at;
    while (i < limit && isToken[bytes[i]!] === 1) i++;
    if (i === limit) return -1;
    if (i === at || bytes[i] !== COLON) throw new ProtocolError(400, badNameSentence(bytes[at]!));
    const nameEnd = i++;
    while (i < limit && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
    const valueStart = i;
    i = endOfFieldValue(bytes, i, limit);
    const next = endOfLine(bytes, i, limit);
    if (next < 0) return -1;
    while (i > valueStart && (bytes[i - 1] === SPACE || bytes[i - 1] === TAB)) i--;
    this.#addHeader(at, nameEnd, valueStart, i);
    return next;
  }

  #addHeader(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.headerCount;
    if (index === maxHeaders) throw new ProtocolError(431, `A message may have at most ${maxHeaders} headers.`);
    const at = 4 * index;
    this.#offsets[at] = nameStart - this.start;
    this.#offsets[at + 1] = nameEnd - this.start;
    this.#offsets[at + 2] = valueStart - this.start;
    this.#offsets[at + 3] = valueEnd - this.start;
    this.headerCount = index + 1;
    // The length tells most names apart without reading them.
    switch (nameEnd - nameStart) {
      case 2: // te
        if (this.isNamed(index, 'te')) this.hasHopByHop = true;
        break;
      case 7:
        if (this.isNamed(index, 'upgrade') || this.isNamed(index, 'trailer')) this.hasHopByHop = true;
        break;
      case 10:
        if (this.isNamed(index, 'connection')) this.#readConnection(index);
        else if (this.isNamed(index, 'keep-alive')) this.hasHopByHop = true;
        break;
      case 14:
        if (this.isNamed(index, 'content-length')) this.#readContentLength(valueStart, valueEnd);
        break;
      case 16:
        if (this.isNamed(index, 'proxy-connection')) this.hasHopByHop = true;
        break;
      case 17:
        if (this.isNamed(index, 'transfer-encoding')) this.#readTransferEncoding(valueStart, valueEnd);
        break;
      case 19:
        if (this.isNamed(index, 'proxy-authorization')) this.hasHopByHop = true;
        break;
    }
  }

  #readConnection(index: number): void {
    this.hasHopByHop = true;
    for (const option of this.listAt(index)) {
      if (option === 'close') this.#saysClose = true;
      else if (option === 'keep-alive') this.#saysKeepAlive = true;
    }
  }

  /** The elements of a comma-separated value, in lower case. */
  listAt(index: number): string[] {
    return this.valueAt(index)
      .toLowerCase()
      .split(String.fromCharCode(COMMA))
      .map((element) => element.trim())
      .filter((element) => element !== '');
  }

  #readContentLength(start: number, end: number): void {
    // A repeated one is refused even when it agrees: what one parser joins another may read twice.
    if (this.contentLength >= 0) throw new ProtocolError(400, 'A message must not have two content-length headers.');
    if (this.isChunked) throw new ProtocolError(400, bothFramings);
    let length = 0;
    // 15 digits stay below the largest exact integer.
    let isNumber = end > start && end - start <= 15;
    for (let i = start; i < end && isNumber; i++) {
      const digit = this.bytes[i]! - 48;
      isNumber = digit >= 0 && digit <= 9;
      length = length * 10 + digit;
    }
    if (!isNumber) throw new ProtocolError(400, 'The content-length header must be a decimal number.');
    this.contentLength = length;
  }

  #readTransferEncoding(start: number, end: number): void {
    if (this.contentLength >= 0) throw new ProtocolError(400, bothFramings);
    if (this.isChunked || !equalsIgnoringCase(this.bytes, start, end, 'chunked')) {
      throw new ProtocolError(400, 'The only transfer-encoding that is supported is "chunked", once.');
    }
    this.isChunked = true;
  }
}

const bothFramings = 'A message must not have both content-length and transfer-encoding.';

/** By fours while there are four, since an access token has a thousand bytes. */
function endOfFieldValue(bytes: Buffer, start: number, limit: number): number {
  let i = start;
  while (
    i + 4 <= limit &&
    (isFieldValue[bytes[i]!]! &
      isFieldValue[bytes[i + 1]!]! &
      isFieldValue[bytes[i + 2]!]! &
      isFieldValue[bytes[i + 3]!]!) ===
      1
  )
    i += 4;
  while (i < limit && isFieldValue[bytes[i]!] === 1) i++;
  return i;
}

/** Expects CR LF at `at`; returns the position behind it, or -1 when the bytes end first. */
export function endOfLine(bytes: Buffer, at: number, limit: number): number {
  if (at >= limit) return -1;
  if (bytes[at] !== CR) {
    const problem = bytes[at] === LF ? 'A line of the head ends with LF alone' : 'The head holds a forbidden character';
    throw new ProtocolError(400, `${problem}; lines must end with CR LF.`);
  }
  if (at + 1 >= limit) return -1;
  if (bytes[at + 1] !== LF)
    throw new ProtocolError(400, 'A line of the head ends with CR alone; lines must end with CR LF.');
  return at + 2;
}

function badNameSentence(first: number): string {
  if (first === SPACE || first === TAB) return 'Folded header lines are not supported.';
  return 'A header line must be a name, a colon and a value, without space before the colon.';
}
