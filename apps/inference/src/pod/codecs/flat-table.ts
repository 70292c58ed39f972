const decoder = new TextDecoder('utf-8', { fatal: true });

/** Ends the reading of flatbuffers that go in circles or repeat one table a million times. */
export class VisitBudget {
  #left: number;

  constructor(visits: number) {
    this.#left = visits;
  }

  /** Throws RangeError when nothing is left. */
  spend(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new RangeError('its metadata is too large');
  }
}

/**
 * A table of a flatbuffer (google/flatbuffers, "FlatBuffers internals"), read field by field. Every read is checked
 * against the bytes that are there; damage shows as a RangeError.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #budget: VisitBudget;

  private constructor(view: DataView, at: number, budget: VisitBudget) {
    this.#view = view;
    this.#at = at;
    this.#budget = budget;
    budget.spend();
  }

  static root(bytes: Uint8Array, budget: VisitBudget): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true), budget);
  }

  int8(field: number): number {
    const at = this.#find(field);
    return at === 0 ? 0 : this.#view.getInt8(at);
  }

  int16(field: number): number {
    const at = this.#find(field);
    return at === 0 ? 0 : this.#view.getInt16(at, true);
  }

  int32(field: number): number {
    const at = this.#find(field);
    return at === 0 ? 0 : this.#view.getInt32(at, true);
  }

  int64(field: number): number {
    const at = this.#find(field);
    return at === 0 ? 0 : safeInteger(this.#view.getBigInt64(at, true));
  }

  string(field: number): string {
    const vector = this.#vector(field, 1);
    if (vector === null) return '';
    return decoder.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + vector.at, vector.length));
  }

  table(field: number): FlatTable | null {
    const at = this.#find(field);
    return at === 0 ? null : new FlatTable(this.#view, at + this.#view.getUint32(at, true), this.#budget);
  }

  tables(field: number): FlatTable[] {
    const vector = this.#vector(field, 4);
    return Array.from({ length: vector?.length ?? 0 }, (_, index) => {
      const at = vector!.at + 4 * index;
      return new FlatTable(this.#view, at + this.#view.getUint32(at, true), this.#budget);
    });
  }

  /** Structs of `width` bytes, each read by `read` from the position where it begins. */
  structs<T>(field: number, width: number, read: (view: DataView, at: number) => T): T[] {
    const vector = this.#vector(field, width);
    return Array.from({ length: vector?.length ?? 0 }, (_, index) => {
      this.#budget.spend();
      return read(this.#view, vector!.at + width * index);
    });
  }

  #vector(field: number, width: number): { at: number; length: number } | null {
    const found = this.#find(field);
    if (found === 0) return null;
    const start = found + this.#view.getUint32(found, true);
    const length = this.#view.getUint32(start, true);
    const at = start + 4;
    if (at + length * width > this.#view.byteLength) throw new RangeError('its metadata is cut short');
    return { at, length };
  }

  /** Position of a field, 0 where the table has none. */
  #find(field: number): number {
    const vtable = this.#at - this.#view.getInt32(this.#at, true);
    const slot = 4 + 2 * field;
    if (slot >= this.#view.getUint16(vtable, true)) return 0;
    const offset = this.#view.getUint16(vtable + slot, true);
    return offset === 0 ? 0 : this.#at + offset;
  }
}

/** A length, count or offset: never negative in what we read. */
export function safeInteger(value: bigint): number {
  if (value < 0n || value > Number.MAX_SAFE_INTEGER) throw new RangeError('a length or offset is out of range');
  return Number(value);
}
