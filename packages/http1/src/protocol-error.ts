/** Bytes that are not the HTTP/1.1 that we accept. After one the connection cannot be trusted and is closed. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** 400 malformed, 408 too slow, 413 body over its limit, 431 head over its limits, 501 not supported. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
