import { jsonLengthHeader, requestIdHeader } from '@pademelon/contracts';
import type { MessageHead, RequestHead, ResponseHead } from '@pademelon/http1';

/** Headers that speak to the next hop only (RFC 9110 §7.6.1); framing is written anew from what was scanned. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
]);

/** Headers that only we may set: behind us they are believed. */
const ownPrefixes = ['x-pademelon-', 'x-forwarded-', 'x-real-ip', 'forwarded'];

export interface ForwardOrigin {
  readonly requestId: string;
  /** Address of the caller's end of the connection. */
  readonly address: string;
  /** Whether the caller is a proxy of ours, whose word about its own caller counts. */
  readonly isProxyTrusted: boolean;
}

/** The head of a request to the API: the caller's, without what is not the caller's to say. */
export function apiRequestHead(head: RequestHead, origin: ForwardOrigin): string {
  const dropped = nominated(head);
  let text = `${head.method} ${head.target} HTTP/1.${head.minorVersion}\r\n`;
  for (let i = 0; i < head.headerCount; i++) {
    const name = head.nameAt(i).toLowerCase();
    if (hopByHop.has(name) || dropped.has(name) || name === requestIdHeader) continue;
    if (!origin.isProxyTrusted && ownPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (name.startsWith('x-pademelon-') || name === 'x-forwarded-for') continue;
    text += `${name}: ${head.valueAt(i)}\r\n`;
  }
  const before = origin.isProxyTrusted ? head.get('x-forwarded-for') : undefined;
  text += `x-forwarded-for: ${before === undefined ? '' : `${before}, `}${origin.address}\r\n`;
  return `${text}${requestIdHeader}: ${origin.requestId}\r\n${framing(head)}connection: ${
    head.minorVersion === 1 ? 'keep-alive' : 'close'
  }\r\n\r\n`;
}

/** What follows the request line and the pod's key in a request to a pod. */
export function podRequestHeaders(head: RequestHead, requestId: string): string {
  let text = `host: pod\r\n${requestIdHeader}: ${requestId}\r\n`;
  for (let i = 0; i < head.headerCount; i++) {
    const name = podHeaders.find((candidate) => head.isNamed(i, candidate));
    if (name !== undefined) text += `${name}: ${head.valueAt(i)}\r\n`;
  }
  return `${text}${framing(head)}\r\n`;
}

const podHeaders = ['content-type', 'accept', 'user-agent', 'content-encoding', jsonLengthHeader];

/** Our own head for a response that cannot pass as it is; `mustClose` when the connection ends with it. */
export function callerResponseHead(head: ResponseHead, mustClose: boolean): string {
  const dropped = nominated(head);
  const end = head.bytes.indexOf('\r\n', head.start, 'latin1');
  const statusLine = head.bytes.toString('latin1', head.start + 'HTTP/1.x'.length, end);
  let text = `HTTP/1.1${statusLine}\r\n`;
  for (let i = 0; i < head.headerCount; i++) {
    const name = head.nameAt(i);
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !dropped.has(lower)) text += `${name}: ${head.valueAt(i)}\r\n`;
  }
  return `${text}${framing(head)}${mustClose ? 'connection: close\r\n' : ''}\r\n`;
}

function framing(head: MessageHead): string {
  if (head.isChunked) return 'transfer-encoding: chunked\r\n';
  return head.contentLength >= 0 ? `content-length: ${head.contentLength}\r\n` : '';
}

const nothing: ReadonlySet<string> = new Set();

/** Headers that a connection header names: they are for the next hop too. */
function nominated(head: MessageHead): ReadonlySet<string> {
  if (!head.hasHopByHop) return nothing;
  const names = new Set<string>();
  for (let i = 0; i < head.headerCount; i++) {
    if (head.isNamed(i, 'connection')) for (const name of head.listAt(i)) names.add(name);
  }
  // Naming these cannot take them away from the request.
  for (const name of ['host', 'authorization', 'content-type', requestIdHeader]) names.delete(name);
  return names;
}
