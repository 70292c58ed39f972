import type { LogDrop, LogDropReason } from '@pademelon/domain';
import type { LogCounts } from './pod-ledger.ts';

/** Dropped records and rows by pipeline and reason: those not yet told to the database, and the totals. */
export class DropCounts {
  readonly #untold = new Map<string, LogDrop>();
  readonly #totals = new Map<LogDropReason, LogCounts>();

  add(pipelineId: number, reason: LogDropReason, { records, rows }: LogCounts): void {
    this.#addUntold(pipelineId, reason, { records, rows });
    const total = this.#totals.get(reason);
    this.#totals.set(reason, { records: (total?.records ?? 0) + records, rows: (total?.rows ?? 0) + rows });
  }

  #addUntold(pipelineId: number, reason: LogDropReason, { records, rows }: LogCounts): void {
    const key = `${pipelineId} ${reason}`;
    const before = this.#untold.get(key);
    this.#untold.set(key, {
      pipelineId,
      reason,
      records: (before?.records ?? 0) + records,
      rows: (before?.rows ?? 0) + rows,
    });
  }

  get hasUntold(): boolean {
    return this.#untold.size > 0;
  }

  /** Takes what is to be told; the taker keeps it until it has been told. */
  takeUntold(): LogDrop[] {
    const drops = [...this.#untold.values()];
    this.#untold.clear();
    return drops;
  }

  /** Keeps what could not be told, to be told later; the totals have it already. */
  giveBack(drops: readonly LogDrop[]): void {
    for (const { pipelineId, reason, records, rows } of drops) this.#addUntold(pipelineId, reason, { records, rows });
  }

  total(reason: LogDropReason): LogCounts {
    return this.#totals.get(reason) ?? { records: 0, rows: 0 };
  }
}
