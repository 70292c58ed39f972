import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogLines } from './log-lines.ts';
import { SecretMask, secretsIn } from './secret-mask.ts';

function readAll(text: Buffer, cuts: readonly number[], mask: SecretMask, maxLineLength?: number): string[] {
  const reader = new LogLines(mask, maxLineLength);
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((one, other) => one - other);
  const lines: string[] = [];
  let from = 0;
  for (const place of [...places, text.length]) {
    lines.push(...reader.push(text.subarray(from, place)));
    from = place;
  }
  return [...lines, ...reader.end()];
}

const none = new SecretMask([]);

test('lines are the same however the bytes arrive', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat()), (text, cuts) => {
      const bytes = Buffer.from(text);
      expect(readAll(bytes, cuts, none)).toEqual(readAll(bytes, [], none));
    }),
  );
});

test('a long line is cut and nothing of it is lost', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat()), (length, cuts) => {
      const text = Array.from({ length }, (_, index) => String.fromCharCode(97 + (index % 26))).join('');
      const lines = readAll(Buffer.from(text), cuts, none, 20);
      expect(lines.join('')).toBe(text);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    }),
  );
});

test('a line has at most 64 Ki characters unless told otherwise', () => {
  const lines = readAll(Buffer.alloc(200_000, 'x'), [], none);
  expect(lines.map((line) => line.length)).toEqual([65_536, 65_536, 65_536, 3_392]);
});

const secret = 'p@ss "word"/+é\\42';

describe('a secret is hidden', () => {
  const mask = new SecretMask([secret]);

  test('wherever the output is torn, in a line of any length', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), fc.array(fc.nat()), (before, after, cuts) => {
        const text = Buffer.from(`${'x'.repeat(before)}${secret}${'y'.repeat(after)}`);
        const shown = readAll(text, cuts, mask, 24).join('');
        expect(shown).not.toContain(secret);
        expect(shown).toBe(`${'x'.repeat(before)}*****${'y'.repeat(after)}`);
      }),
      { numRuns: 500 },
    );
  });

  test('also when the mask learns of it in the middle of a line', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(100), fc.nat(100), (early, before, after) => {
        const growing = new SecretMask([]);
        const reader = new LogLines(growing, 8);
        const lines = reader.push(Buffer.from('x'.repeat(early)));
        growing.add([secret]);
        for (const byte of Buffer.from(`${'x'.repeat(before)}${secret}${'y'.repeat(after)}`)) {
          lines.push(...reader.push(Buffer.of(byte)));
        }
        expect([...lines, ...reader.end()].join('')).toBe(`${'x'.repeat(early + before)}*****${'y'.repeat(after)}`);
      }),
    );
  });

  test.each([
    ['plain', secret],
    ['in JSON', JSON.stringify({ password: secret })],
    ['URL-encoded', `https://x/?q=${encodeURIComponent(secret)}`],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in the base64 of something longer', Buffer.from(`user:${secret}:tail`).toString('base64')],
    ['in the base64 of something a byte longer', Buffer.from(`user1:${secret}`).toString('base64')],
    ['in the base64 of something two bytes longer', Buffer.from(`user12:${secret}`).toString('base64')],
  ])('%s', (_form, text) => {
    expect(mask.apply(text)).toContain('*****');
    expect(mask.apply(text)).not.toContain(secret);
  });

  test('each line of a private key on its own', () => {
    const key =
      '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n';
    const lines = readAll(Buffer.from(key), [], new SecretMask(secretsIn({ nested: [{ key }] })));
    expect(lines.join('')).toBe('*****'.repeat(4));
  });
});

test('short values and numbers are left alone', () => {
  expect(new SecretMask(secretsIn({ port: 5432, user: 'bob', ssl: true })).apply('bob 5432 true')).toBe(
    'bob 5432 true',
  );
});
