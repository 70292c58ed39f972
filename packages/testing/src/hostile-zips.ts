import { buildZip, type ZipEntrySpec, type ZipSpec } from './zip-builder.ts';

const main: ZipEntrySpec = { name: 'main.py', content: 'print("hello")' };

/** The zip64 field of an entry that would be 2^63 bytes long. */
const endless = Buffer.from('01000800' + '0000000000000080', 'hex');

/** Zips that nobody should unpack: what is wrong with each, its entries, and what frames them. */
export const hostileZips: readonly [string, ZipEntrySpec[], ZipSpec?][] = [
  ['a name that climbs', [main, { name: '../evil.py' }]],
  ['a name that climbs from below', [main, { name: 'a/../../evil.py' }]],
  ['an absolute name', [main, { name: '/abs.py' }]],
  ['a drive letter', [main, { name: 'C:/x.py' }]],
  ['backslashes', [main, { name: '..\\evil.py' }]],
  ['a sibling with the same prefix', [main, { name: '../out2/x' }]],
  ['a symbolic link', [main, { name: 'ln', content: '/etc/passwd', mode: 0o120777 }]],
  ['a link to a folder and a file through it', [{ name: 'ln', content: '/tmp', mode: 0o120777 }, { name: 'ln/x' }]],
  ['a device', [main, { name: 'null', mode: 0o020666 }]],
  ['a pipe', [main, { name: 'pipe', mode: 0o010644 }]],
  ['a NUL in a name', [main, { name: 'a\0.py' }]],
  ['a line break in a name', [main, { name: 'a\nb.py' }]],
  ['a direction override in a name', [main, { name: 'a\u202eyp.txt' }]],
  ['a name that is not UTF-8', [main, { name: Buffer.from([0x66, 0xff, 0x66]) }]],
  ['a name twice', [main, main]],
  ['a name twice but for case', [main, { name: 'MAIN.py' }]],
  ['a name twice but for Unicode form', [{ name: 'é.py' }, { name: 'e\u0301.py' }]],
  ['a file that is also a folder', [main, { name: 'ln' }, { name: 'ln/x' }]],
  ['a size that is a lie', [{ ...main, content: Buffer.alloc(5_000_000), declaredSize: 10 }]],
  ['a size that is too long', [{ ...main, declaredSize: 100_000 }]],
  ['a zip64 size of 2^63 bytes', [{ ...main, declaredSize: 0xffffffff, extra: endless }]],
  ['a zip64 size without the field for it', [{ ...main, declaredSize: 0xffffffff }]],
  ['another name in the local header', [{ ...main, localName: 'evil.py' }]],
  ['overlapping entries', [main, { name: 'b.py', content: 'print("hello")', offset: 0 }]],
  ['data in front', [main], { prefix: Buffer.from('#!/bin/sh\n') }],
  ['two end records', [main], { comment: buildZip([main]) }],
  ['an encrypted entry', [{ ...main, flags: 0x801 }]],
  ['an unknown method', [{ ...main, method: 14 }]],
  ['another unknown method', [{ ...main, method: 99 }]],
  ['a wrong checksum', [{ ...main, declaredCrc: 1 }]],
  ['a hundred folders deep', [{ name: `${'d/'.repeat(100)}x` }]],
  ['a long name', [{ name: 'x'.repeat(300) }]],
  ['fewer entries than it says', [main], { entryCount: 2 }],
  ['an empty name', [main, { name: '' }]],
];
