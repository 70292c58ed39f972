import type { RecordFrame } from './received-frames.ts';

export interface LogCounts {
  readonly records: number;
  readonly rows: number;
}

interface Account {
  readonly pipelineId: number;
  records: number;
  rows: number;
  /** Answered, and to be handed over later. */
  owed: LogCounts;
}

const nothing: LogCounts = { records: 0, rows: 0 };

/**
 * What each pod has handed over so far, by the numbers on its records. A jump in them is a gap of exactly known size:
 * `onGap` hears of it once.
 */
export class PodLedger {
  readonly #accounts = new Map<string, Account>();
  readonly #onGap: (pipelineId: number, gap: LogCounts) => void;

  constructor(onGap: (pipelineId: number, gap: LogCounts) => void) {
    this.#onGap = onGap;
  }

  /** Counts the records of a frame; returns false for one that was counted before. */
  receive(frame: RecordFrame): boolean {
    const account = this.#account(frame.schema.podId, frame.schema.pipelineId);
    if (frame.recordsBefore < account.records) return false;
    this.#advance(account, { records: frame.recordsBefore, rows: frame.rowsBefore });
    account.records += frame.recordCount;
    account.rows += frame.rowCount;
    return true;
  }

  /** What the pod says that it has handed over or skipped. */
  settle(podId: string, pipelineId: number, counts: LogCounts): void {
    this.#advance(this.#account(podId, pipelineId), counts);
  }

  /** What the pod says that it will hand over yet. */
  owe(podId: string, pipelineId: number, owed: LogCounts): void {
    this.#account(podId, pipelineId).owed = owed;
  }

  /** As `settle`, for a pod that has ended and may never have handed over anything. What it still owes is lost. */
  close(podId: string, pipelineId: number, counts: LogCounts): void {
    const account = this.#account(podId, pipelineId);
    this.#advance(account, counts);
    if (account.owed.records > 0) this.#onGap(pipelineId, account.owed);
    this.#accounts.delete(podId);
  }

  #account(podId: string, pipelineId: number): Account {
    let account = this.#accounts.get(podId);
    if (account === undefined) {
      account = { pipelineId, records: 0, rows: 0, owed: nothing };
      this.#accounts.set(podId, account);
    }
    return account;
  }

  #advance(account: Account, counts: LogCounts): void {
    const gap = { records: counts.records - account.records, rows: counts.rows - account.rows };
    if (gap.records <= 0) return;
    account.records = counts.records;
    account.rows = counts.rows;
    this.#onGap(account.pipelineId, gap);
  }
}
