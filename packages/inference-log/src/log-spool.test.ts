import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { LogSpool, LogSpoolReader, removeDeadSpools, type SpooledBytes } from './log-spool.ts';

const opened: { close: () => void }[] = [];

afterEach(() => {
  for (const end of opened.splice(0)) end.close();
});

function openBothEnds(bytes: number): { spool: LogSpool; reader: LogSpoolReader } {
  const spool = LogSpool.create(bytes)!;
  const reader = new LogSpoolReader(spool.id, bytes);
  opened.push(spool, reader);
  return { spool, reader };
}

function filled(length: number, value: number): Buffer {
  return Buffer.alloc(length, value);
}

function write(spool: LogSpool, content: Buffer): number | null {
  return spool.write([content.subarray(0, 5), content.subarray(5)], content.length);
}

function read(reader: LogSpoolReader, position: number, length: number): Buffer {
  const held = reader.hold(position, length);
  const bytes = held.read();
  held.letGo();
  return bytes;
}

describe.skipIf(!existsSync('/dev/shm'))('the spool', () => {
  it('keeps what was written until it was let go, in whatever order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), length: fc.integer({ min: 1, max: 700 }) }),
      fc.record({ kind: fc.constant('hold' as const) }),
      fc.record({ kind: fc.constant('letGo' as const), which: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { spool, reader } = openBothEnds(1_000);
        const written: { position: number; content: Buffer }[] = [];
        const held: { bytes: SpooledBytes; content: Buffer }[] = [];
        const holdNext = () => {
          const next = written.shift();
          if (next === undefined) return;
          held.push({ bytes: reader.hold(next.position, next.content.length), content: next.content });
        };
        const letGo = (which: number) => {
          const [gone] = held.splice(which % held.length, 1);
          expect(gone!.bytes.read()).toEqual(gone!.content);
          gone!.bytes.letGo();
        };
        let writes = 0;
        for (const each of steps) {
          if (each.kind === 'write') {
            const content = filled(each.length, ++writes);
            const position = write(spool, content);
            if (written.length + held.length === 0) expect(position).not.toBeNull();
            if (position !== null) written.push({ position, content });
          } else if (each.kind === 'hold') {
            holdNext();
          } else if (held.length > 0) {
            letGo(each.which);
          }
        }
        while (written.length > 0) holdNext();
        while (held.length > 0) letGo(held.length - 1);
        // All of the ring is free again.
        expect(write(spool, filled(1_000, 1))).not.toBeNull();
      }),
      { numRuns: 100 },
    );
    for (const end of opened.splice(0)) end.close();
  });

  it('is full when the host does not read, and takes more when it has', () => {
    const { spool, reader } = openBothEnds(1_000);
    const positions = [write(spool, filled(600, 1)), write(spool, filled(400, 2)), write(spool, filled(1, 3))];
    expect(positions).toEqual([0, 600, null]);
    read(reader, 0, 600);
    expect(write(spool, filled(601, 4))).toBeNull();
    expect(write(spool, filled(600, 5))).toBe(1_000);
    expect(read(reader, 600, 400)).toEqual(filled(400, 2));
    expect(read(reader, 1_000, 600)).toEqual(filled(600, 5));
  });

  it('begins again at its beginning when all is read', () => {
    const { spool, reader } = openBothEnds(1_000);
    read(reader, write(spool, filled(10, 1))!, 10);
    const again = write(spool, filled(10, 2))!;
    expect(again % 1_000).toBe(0);
    // What was left out before it is room all the same.
    expect(write(spool, filled(990, 3))).toBe(again + 10);
  });

  it('never takes more than it holds', () => {
    const { spool, reader } = openBothEnds(1_000);
    expect(write(spool, filled(1_001, 1))).toBeNull();
    read(reader, write(spool, filled(1_000, 2))!, 1_000);
    expect(write(spool, filled(1_001, 3))).toBeNull();
  });

  it('takes more pieces than the system writes at once', () => {
    const { spool, reader } = openBothEnds(10_000);
    const pieces = Array.from({ length: 2_500 }, (_, i) => Uint32Array.of(i));
    const position = spool.write(pieces, 10_000)!;
    expect(new Uint32Array(new Uint8Array(read(reader, position, 10_000)).buffer)).toEqual(
      Uint32Array.from(pieces, ([i]) => i!),
    );
  });

  it('outlives the pod', () => {
    const { spool, reader } = openBothEnds(1_000);
    const position = write(spool, filled(100, 7))!;
    spool.close();
    expect(read(reader, position, 100)).toEqual(filled(100, 7));
    opened.splice(opened.indexOf(spool), 1);
  });

  it('can be read when the host has closed it, until all is let go', () => {
    const { spool, reader } = openBothEnds(1_000);
    const [first, second] = [filled(10, 1), filled(20, 2)].map((content) => {
      return reader.hold(write(spool, content)!, content.length);
    });
    reader.close();
    opened.splice(opened.indexOf(reader), 1);
    second!.letGo();
    second!.letGo();
    expect(first!.read()).toEqual(filled(10, 1));
    first!.letGo();
    expect(() => first!.read()).toThrow('EBADF');
  });

  it('says so when it is asked for what was never written', () => {
    const { reader } = openBothEnds(1_000);
    for (const position of [500, 995, -1_000, Number.NaN]) {
      expect(() => reader.hold(position, 10)).toThrow(`A spool has no 10 bytes at ${position}.`);
    }
    expect(() => new LogSpoolReader('../../etc/passwd')).toThrow(TypeError);
  });

  it('leaves no file once both ends have it, and those of dead pods are removed', () => {
    const spool = LogSpool.create(1_000)!;
    opened.push(spool);
    const path = `/dev/shm/pademelon-log-${spool.id}`;
    const dead = `/dev/shm/pademelon-log-${spawnSync('true').pid}-left-behind`;
    writeFileSync(dead, '');
    removeDeadSpools();
    expect([existsSync(path), existsSync(dead)]).toEqual([true, false]);
    opened.push(new LogSpoolReader(spool.id));
    expect(existsSync(path)).toBe(false);
  });
});
