/**
 * The head of an answer with a body of `contentLength` bytes. `extra` holds complete further lines
 * (`retry-after: 1\r\n`), made by us, never from a caller's bytes.
 */
export function answerHead(status: number, contentType: string, contentLength: number, extra = ''): string {
  return `${statusLine(status)}content-type: ${contentType}\r\ncontent-length: ${contentLength}\r\n${extra}\r\n`;
}

/** A whole answer with a text body. */
export function answerWithText(status: number, contentType: string, text: string, extra = ''): Buffer {
  return Buffer.from(answerHead(status, contentType, Buffer.byteLength(text), extra) + text);
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasons[status] ?? 'Unknown'}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

/** RFC 9110's phrases for what we answer. Not node:http's table: loading that stack costs each process 9 MB. */
const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  411: 'Length Required',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};
