import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyScanner, ProtocolError, ResponseHead } from './index.ts';

/** Scans pieces of a response as an upstream connection would: what the head said and how many bytes its body has. */
function scanPieces(pieces: readonly Buffer[], answersHead = false): string {
  const head = new ResponseHead();
  head.answersHead = answersHead;
  const body = new BodyScanner();
  let held = Buffer.alloc(0);
  let isHead = true;
  let bodyBytes = 0;
  try {
    for (const piece of pieces) {
      held = Buffer.concat([held, piece]);
      if (isHead) {
        if (!head.scan(held, 0, held.length)) continue;
        isHead = false;
        body.beginResponse(head);
        held = Buffer.from(held.subarray(head.length));
      }
      const end = body.pass(held, 0, held.length);
      bodyBytes += end;
      held = Buffer.from(held.subarray(end));
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return `refused: ${error.message}`;
  }
  if (isHead) return 'unfinished';
  return `${head.status} ${head.framing} keep-alive ${head.isKeepAlive}, body ${bodyBytes} done ${body.isDone} over ${held.length}`;
}

const responses: readonly (readonly [string, string])[] = [
  ['HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc', '200 length keep-alive true, body 3 done true over 0'],
  ['HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\nabcd', '200 length keep-alive true, body 3 done true over 1'],
  ['HTTP/1.1 200\r\nconnection: close\r\n\r\nabc', '200 until-close keep-alive false, body 3 done false over 0'],
  ['HTTP/1.1 204 No\r\ncontent-length: 3\r\n\r\n', '204 none keep-alive true, body 0 done true over 0'],
  ['HTTP/1.1 304 N\r\n\r\n', '304 none keep-alive true, body 0 done true over 0'],
  ['HTTP/1.1 100 Go\r\n\r\n', '100 none keep-alive true, body 0 done true over 0'],
  ['HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', '200 length keep-alive false, body 1 done true over 0'],
  [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    '200 chunked keep-alive true, body 13 done true over 0',
  ],
];

const refused = [
  'HTTP/2 200 OK\r\n\r\n',
  'ICY 200 OK\r\n\r\n',
  'HTTP/1.1 2x0 OK\r\n\r\n',
  'HTTP/1.1 600 OK\r\n\r\n',
  'HTTP/1.1 101 Switching\r\n\r\n',
  'HTTP/1.1 200 OK\n\n',
  'HTTP/1.1 200 O\u0001K\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
  'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
];

test.each(responses)('%j is read as %s', (text, expected) => {
  expect(scanPieces([Buffer.from(text, 'latin1')])).toBe(expected);
});

test('the answer to HEAD has no body, whatever its head announces', () => {
  const text = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n');
  expect(scanPieces([text], true)).toBe('200 none keep-alive true, body 0 done true over 0');
});

test.each(refused)('%j is refused', (text) => {
  expect(scanPieces([Buffer.from(text, 'latin1')])).toMatch(/^refused/);
});

test('however the bytes are cut, the result is the same', () => {
  const text = fc.constantFrom(...responses.map(([response]) => response), ...refused);
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (response, places) => {
      const bytes = Buffer.from(response, 'latin1');
      const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
      const pieces = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
      expect(scanPieces(pieces)).toBe(scanPieces([bytes]));
    }),
    { numRuns: 2_000 },
  );
});
