import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { LogSpool, LogSpoolReader, removeDeadSpools } from './log-spool.ts';

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

describe.skipIf(!existsSync('/dev/shm'))('the spool', () => {
  it('keeps what was written until it was read, in any order of writing and reading', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), length: fc.integer({ min: 1, max: 700 }) }),
      fc.record({ kind: fc.constant('read' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { spool, reader } = openBothEnds(1_000);
        const unread: { position: number; content: Buffer }[] = [];
        let writes = 0;
        for (const { kind, ...rest } of steps) {
          if (kind === 'write') {
            const content = filled((rest as { length: number }).length, ++writes);
            const position = spool.write(content);
            if (unread.length === 0) expect(position).not.toBeNull();
            if (position !== null) unread.push({ position, content });
          } else {
            const next = unread.shift();
            if (next !== undefined) expect(reader.read(next.position, next.content.length)).toEqual(next.content);
          }
        }
        for (const { position, content } of unread) expect(reader.read(position, content.length)).toEqual(content);
      }),
      { numRuns: 100 },
    );
    for (const end of opened.splice(0)) end.close();
  });

  it('is full when the host does not read, and takes more when it has', () => {
    const { spool, reader } = openBothEnds(1_000);
    const positions = [spool.write(filled(600, 1)), spool.write(filled(400, 2)), spool.write(filled(1, 3))];
    expect(positions).toEqual([0, 600, null]);
    reader.read(0, 600);
    expect(spool.write(filled(601, 4))).toBeNull();
    expect(spool.write(filled(600, 5))).toBe(1_000);
    expect(reader.read(600, 400)).toEqual(filled(400, 2));
    expect(reader.read(1_000, 600)).toEqual(filled(600, 5));
  });

  it('begins again at its beginning when all is read', () => {
    const { spool, reader } = openBothEnds(1_000);
    reader.read(spool.write(filled(10, 1))!, 10);
    const again = spool.write(filled(10, 2))!;
    expect(again % 1_000).toBe(0);
    // What was left out before it is room all the same.
    expect(spool.write(filled(990, 3))).toBe(again + 10);
  });

  it('never takes more than it holds', () => {
    const { spool, reader } = openBothEnds(1_000);
    expect(spool.write(filled(1_001, 1))).toBeNull();
    reader.read(spool.write(filled(1_000, 2))!, 1_000);
    expect(spool.write(filled(1_001, 3))).toBeNull();
  });

  it('outlives the pod', () => {
    const { spool, reader } = openBothEnds(1_000);
    const position = spool.write(filled(100, 7))!;
    spool.close();
    expect(reader.read(position, 100)).toEqual(filled(100, 7));
    opened.splice(opened.indexOf(spool), 1);
  });

  it('says so when it is asked for what was never written', () => {
    const { reader } = openBothEnds(1_000);
    expect(() => reader.read(500, 10)).toThrow('A spool has 0 bytes where 10 should be.');
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
