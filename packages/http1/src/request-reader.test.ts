import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyCollector, ProtocolError, type RequestHead, RequestReader, type RequestSink } from './index.ts';

/** Reads pieces of a connection's bytes as a server would and tells what it saw, answering each request at once. */
function readPieces(pieces: readonly Buffer[], limitBytes = 1_000): string[] {
  const seen: string[] = [];
  const body = new BodyCollector();
  const sink: RequestSink = {
    onHead(head: RequestHead) {
      body.begin(head, limitBytes);
      const headers = Array.from({ length: head.headerCount }, (_, i) => `${head.nameAt(i)}=${head.valueAt(i)}`);
      seen.push(`${head.method} ${head.target} 1.${head.minorVersion} ${head.isKeepAlive} ${headers.join('&')}`);
    },
    onBody: (bytes, at, end) => body.pass(bytes, at, end),
    isBodyDone: () => body.isDone,
    onEnd() {
      seen.push(`body ${body.take().toString('latin1')}`);
      reader.next();
    },
  };
  const reader = new RequestReader(sink);
  try {
    for (const piece of pieces) reader.push(piece);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    seen.push(`${error.status} ${error.message}`);
  }
  return seen;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => Buffer.from(bytes.subarray(sorted[i], end)));
}

const requests = [
  'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /infer?a=b HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\nX-Empty:\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHOST:a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n',
  'PUT /x HTTP/1.0\r\nConnection: keep-alive, x-y\r\ncontent-length: 0\r\n\r\n',
  'GET /x HTTP/1.1\r\nhost: a\r\nX: \t caf\u00e9 \t\r\nconnection: Close\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n',
  `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3E9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`,
];

const refused: readonly (readonly [string, string, number])[] = [
  ['both framings', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', 400],
  [
    'both framings, swapped',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n',
    400,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
  ['a list of lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\n', 400],
  ['a signed length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\n', 400],
  ['a length in hexadecimal', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\n', 400],
  ['an empty length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n', 400],
  ['a length beyond exact integers', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9007199254740993\r\n\r\n', 400],
  ['another coding', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n', 400],
  [
    'chunked twice',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n',
    400,
  ],
  ['a coding in HTTP/1.0', 'POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n', 400],
  ['a folded line', 'GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z: 1\r\n\r\n', 400],
  ['a space before the colon', 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length : 1\r\n\r\n', 400],
  ['an empty name', 'GET / HTTP/1.1\r\nhost: a\r\n: 1\r\n\r\n', 400],
  ['a bare LF', 'GET / HTTP/1.1\nhost: a\n\n', 400],
  ['a bare LF in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: y\nz: 1\r\n\r\n', 400],
  ['a bare CR', 'GET / HTTP/1.1\r\nhost: a\r\nx: y\rz: 1\r\n\r\n', 400],
  ['a NUL', 'GET / HTTP/1.1\r\nhost: a\r\nx: y\0\r\n\r\n', 400],
  ['HTTP/2', 'GET / HTTP/2.0\r\nhost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /\r\n', 400],
  ['a lower-case version', 'GET / http/1.1\r\nhost: a\r\n\r\n', 400],
  ['a target with a space', 'GET /a b HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  ['a target that is no path', 'GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400],
  ['an empty line first', '\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  ['a long head', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(16 * 1024)}\r\n\r\n`, 431],
  ['a head that does not end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20 * 1024)}`, 431],
  ['101 headers', `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(100)}\r\n`, 431],
  ['a chunk extension', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n', 400],
  ['a chunk without size', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n', 400],
  ['a chunk of 2^36 bytes', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1000000000\r\nx', 400],
  [
    'a chunk that ends with LF',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n',
    400,
  ],
  [
    'a chunk longer than its size',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n',
    400,
  ],
  ['a trailer', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n', 400],
];

test.each(refused)('%s is refused', (_, text, status) => {
  const seen = readPieces([Buffer.from(text, 'latin1')]);
  expect(seen.at(-1)).toMatch(new RegExp(`^${status} `));
});

test('requests are told apart with their bodies', () => {
  expect(readPieces([Buffer.from(requests.slice(0, 5).join(''), 'latin1')])).toEqual([
    'GET /healthz 1.1 true Host=a',
    'body ',
    'POST /infer?a=b 1.1 true host=a&Content-Length=5&X-Empty=',
    'body hello',
    'POST / 1.1 true HOST=a&Transfer-Encoding=Chunked',
    'body abc0123456789',
    'PUT /x 1.0 true Connection=keep-alive, x-y&content-length=0',
    'body ',
    'GET /x 1.1 false host=a&X=caf\u00e9&connection=Close',
    'body ',
  ]);
});

test('a body over its limit is refused, announced or chunked', () => {
  for (const request of requests.slice(5)) {
    expect(readPieces([Buffer.from(request)]).at(-1)).toBe('413 The body may have at most 1000 bytes.');
  }
});

test('however the bytes are cut, the result is the same', () => {
  const oneRequest = fc.constantFrom(...requests, ...refused.map(([, text]) => text));
  fc.assert(
    fc.property(
      fc.array(oneRequest, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (texts, places) => {
        const bytes = Buffer.from(texts.join(''), 'latin1');
        expect(readPieces(cut(bytes, places))).toEqual(readPieces([bytes]));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('byte by byte gives the same result', () => {
  for (const text of [...requests, ...refused.map(([, refusedText]) => refusedText)]) {
    const bytes = Buffer.from(text, 'latin1');
    expect(readPieces([...bytes].map((byte) => Buffer.of(byte)))).toEqual(readPieces([bytes]));
  }
});

test('damaged bytes never throw anything but a protocol error, and are read alike in any pieces', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...requests),
      fc.nat(),
      fc.nat(255),
      fc.array(fc.nat(), { maxLength: 6 }),
      (text, place, byte, places) => {
        const bytes = Buffer.from(text, 'latin1');
        bytes[place % bytes.length] = byte;
        expect(readPieces(cut(bytes, places))).toEqual(readPieces([bytes]));
      },
    ),
    { numRuns: 5_000 },
  );
});

test('a body in one-byte chunks takes memory for its data only', () => {
  const chunk = Buffer.from('1\r\nx\r\n');
  const body = new BodyCollector();
  const reader = new RequestReader({
    onHead: (head) => body.begin(head, 4_000_000),
    onBody: (bytes, at, end) => body.pass(bytes, at, end),
    isBodyDone: () => body.isDone,
    onEnd: () => undefined,
  });
  reader.push(Buffer.from('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n'));
  const piece = Buffer.concat(Array.from({ length: 10_000 }, () => chunk));
  const before = process.memoryUsage();
  for (let i = 0; i < 300; i++) reader.push(piece);
  const after = process.memoryUsage();
  reader.push(Buffer.from('0\r\n\r\n'));
  expect(body.take().length).toBe(3_000_000);
  expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(40_000_000);
});
