import { gunzipSync, inflateSync } from 'node:zlib';
import { DomainError } from '@pademelon/domain/domain-error';

/**
 * A body without its content coding, `gzip` or `deflate` (which is the zlib format, RFC 9110 §8.4.1.2). `maxBytes` is
 * what it may decode to, so that a small body cannot stand for a large one.
 */
export function decodeBody(body: Buffer, encoding: string, maxBytes: number): Buffer {
  const decode = encoding === 'gzip' ? gunzipSync : encoding === 'deflate' ? inflateSync : null;
  if (decode === null) {
    throw new DomainError(
      'unsupported_media_type',
      `The content-encoding ${JSON.stringify(encoding)} is not supported; send the body as it is, or as gzip or deflate.`,
    );
  }
  try {
    return decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DomainError('too_large', `The body holds more than ${maxBytes} bytes when decoded.`, { cause: error });
    }
    throw new DomainError('invalid_input', `The body is not valid ${encoding}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
