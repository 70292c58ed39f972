import { jsonLengthHeader, type PodSpec } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { LogRecord } from '@pademelon/inference-log/frames';
import { type AnswerData, type AnsweredSide, answerFields } from './answer-fields.ts';
import { isSettled } from './challengers/settle-side.ts';
import type { ArrowEncoder } from './codecs/arrow-encoder.ts';
import { readArrow } from './codecs/arrow-read.ts';
import type { ByteWriter } from './codecs/byte-writer.ts';
import { writeClassic } from './codecs/classic-write.ts';
import { readClassic, readJsonRecords } from './codecs/json-rows.ts';
import { JsonTemplate } from './codecs/json-write.ts';
import { readOpenRequest } from './codecs/open-read.ts';
import { writeOpenAnswer } from './codecs/open-write.ts';
import { RecordScanner } from './codecs/record-scanner.ts';
import type { InputBatch } from './input-batch.ts';
import { droppedSides, toLogRecord } from './log-columns.ts';
import type { Pipeline } from './pipeline.ts';
import type { Flow, ModelIdentity, SideOutputs, SideResult } from './pipeline-steps/pipeline-step.ts';
import type { BodyFormat, OpenPlan, RequestPlan } from './request-plan.ts';

/** Takes the log record of each answered request. It copies what it keeps. */
export interface LogSink {
  write(record: LogRecord): void;
  /** Tells how many records, and rows of them, have been answered and will be written later. */
  owe(records: number, rows: number): void;
}

export interface DataPlaneOptions {
  readonly spec: Pick<PodSpec, 'podId' | 'pipelineName' | 'pipelineVersion' | 'limits'>;
  readonly pipeline: Pipeline;
  readonly log: LogSink;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Loads what writes Arrow answers, which pods of JSON callers never need. */
  readonly loadArrow: () => Promise<ArrowEncoder>;
}

/** A request whose rows have been read. */
export interface ReadRequest {
  readonly plan: RequestPlan;
  readonly format: Exclude<BodyFormat, 'json'>;
  readonly body: Buffer;
  readonly batch: InputBatch;
  readonly readNs: number;
}

/** What the head of an answer says of its body. */
export interface AnswerForm {
  readonly contentType: string;
  /** Complete further lines of the head. */
  readonly headers: string;
}

/** What the pipeline made of a batch, and how long that took. */
export interface PipelineRun {
  readonly flow: Flow;
  readonly runNs: number;
  /** What became of the results beside it; absent where the pipeline has none. */
  readonly sides?: readonly SettledSide[];
}

export type SettledSide = SideResult<SideOutputs>;

/** A record that is not in the log yet. */
export interface OpenRecord {
  readonly data: AnswerData;
  readonly model: ModelIdentity;
}

const noSides: readonly never[] = [];

const maxTemplates = 64;
const recordsForm: AnswerForm = { contentType: 'application/json; format=pandas-records', headers: '' };
const classicForm: AnswerForm = { contentType: 'application/json', headers: '' };
const openJsonForm: AnswerForm = { contentType: 'application/json', headers: '' };
const arrowForm: AnswerForm = { contentType: 'application/vnd.apache.arrow.file', headers: '' };

/**
 * From a request's bytes to its answer's bytes, in one synchronous stretch: read the rows, run the pipeline, write the
 * answer, hand over the log record. Knows nothing of sockets and HTTP.
 */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #scanner: RecordScanner;
  /** One map of templates for each way of asking; keyed by the columns that the template names. */
  readonly #templates = new WeakMap<RequestPlan, Map<string, JsonTemplate>>();
  #arrow: ArrowEncoder | null = null;
  #owedRecords = 0;
  #owedRows = 0;
  /** JSON text of the last model, as metadata has it. */
  #lastModelText: { model: ModelIdentity; text: string } | null = null;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#scanner = new RecordScanner(options.pipeline.hints);
  }

  /** Whether `prepare` must be awaited before this request can be answered. */
  isPrepared(plan: RequestPlan): boolean {
    return this.#arrow !== null || !plan.wantsArrow;
  }

  async prepare(): Promise<void> {
    this.#arrow = await this.#options.loadArrow();
  }

  /** Writes the answer and tells what its head must say. Throws a DomainError for the caller; the writer is void then. */
  infer(plan: RequestPlan, body: Buffer, writer: ByteWriter): AnswerForm {
    const request = this.read(plan, body);
    return this.answer(request, this.run(request.batch), writer);
  }

  /** The request's rows, valid until the next call. Throws a DomainError for the caller. */
  read(plan: RequestPlan, body: Buffer): ReadRequest {
    const startedAt = performance.now();
    const format = plan.bodyFormat === 'json' ? sniff(body) : plan.bodyFormat;
    const batch = this.#read(plan, body, format);
    return { plan, format, body, batch, readNs: nanosecondsSince(startedAt) };
  }

  /** For a pipeline with scripts; the batch must stay as it is meanwhile. */
  async runLater(batch: InputBatch): Promise<PipelineRun> {
    const startedAt = performance.now();
    const flow = await this.#options.pipeline.runLater(batch);
    return { flow, runNs: nanosecondsSince(startedAt) };
  }

  run(batch: InputBatch): PipelineRun {
    const startedAt = performance.now();
    const flow = this.#options.pipeline.run(batch);
    const runNs = nanosecondsSince(startedAt);
    return flow.sides?.every(isSettled) ? { flow, runNs, sides: flow.sides } : { flow, runNs };
  }

  /** Writes the answer to a request whose rows became `flow`, logs it, and tells what its head must say. */
  answer(request: ReadRequest, run: PipelineRun, writer: ByteWriter): AnswerForm {
    const record = this.#open(request, run);
    const form = this.#write(request, record, writer);
    this.#log(record, run.sides);
    return form;
  }

  /** As `answer`, for a record that waits for results which are only logged: `logOwed` must take it in the end. */
  answerUnlogged(request: ReadRequest, run: PipelineRun, writer: ByteWriter): { form: AnswerForm; record: OpenRecord } {
    const record = this.#open(request, run);
    const form = this.#write(request, record, writer);
    this.#owe(1, record);
    return { form, record };
  }

  logOwed(record: OpenRecord, sides: readonly SettledSide[]): void {
    this.#log(record, sides);
    this.#owe(-1, record);
  }

  #owe(change: 1 | -1, { data }: OpenRecord): void {
    this.#owedRecords += change;
    this.#owedRows += change * data.batch.rowCount;
    this.#options.log.owe(this.#owedRecords, this.#owedRows);
  }

  #log({ data, model }: OpenRecord, sides: readonly SettledSide[] = noSides): void {
    this.#options.log.write(toLogRecord(data, model, sides));
  }

  #open({ batch, readNs }: ReadRequest, { flow, runNs, sides = noSides }: PipelineRun): OpenRecord {
    const model = flow.lastModel!;
    const { spec, now } = this.#options;
    const data: AnswerData = {
      timeMs: now(),
      batch,
      outputs: flow.columns,
      sides: sides.length === 0 ? noSides : sides.filter(isAnswered),
      checks: flow.checks,
      metadata: {
        last_model: this.#lastModelJson(model),
        pipeline_version: spec.pipelineVersion,
        elapsed: [readNs, runNs],
        dropped: sides.length === 0 ? noSides : droppedSides(sides.filter((side) => side.isAnswered)),
        partition: spec.podId,
      },
    };
    return { data, model };
  }

  #read(plan: RequestPlan, body: Buffer, format: Exclude<BodyFormat, 'json'>): InputBatch {
    const { rows: maxRows, arrowBodyBytes: maxDecompressedBytes } = this.#options.spec.limits;
    const { hints } = this.#options.pipeline;
    switch (format) {
      case 'records':
        return this.#scanner.scan(body, maxRows) ?? readJsonRecords(body, { hints, maxRows });
      case 'classic':
        return readClassic(body, { hints, maxRows });
      case 'arrow':
        return readArrow(body, { hints, maxRows, maxDecompressedBytes });
      case 'open':
        return this.#readOpen(plan, body);
    }
  }

  #write(
    { plan, format, body }: ReadRequest,
    { data, model }: { data: AnswerData; model: ModelIdentity },
    writer: ByteWriter,
  ): AnswerForm {
    if (plan.open !== null) return this.#writeOpen(plan.open, data, writer);
    if (plan.wantsArrow) {
      this.#arrow!.write(writer, data, plan);
      return arrowForm;
    }
    if (format === 'classic') {
      writeClassic(writer, data, { pipelineName: this.#options.spec.pipelineName, model, body });
      return classicForm;
    }
    this.#template(plan, data).write(writer, data);
    return recordsForm;
  }

  /** The version is the pod's to check: while one is swapped for another, only the pod knows which it serves. */
  #readOpen({ open }: RequestPlan, body: Buffer): InputBatch {
    const { spec, pipeline } = this.#options;
    const { version, jsonBytes } = open!;
    if (version !== null && version !== spec.pipelineVersion) throw unservedVersion(version, spec.pipelineVersion);
    return readOpenRequest(body, {
      jsonBytes,
      hints: pipeline.hints,
      maxRows: spec.limits.rows,
      takesOnlyHinted: pipeline.takesOnlyHinted,
    });
  }

  #writeOpen({ modelName }: OpenPlan, data: AnswerData, writer: ByteWriter): AnswerForm {
    const { pipelineVersion } = this.#options.spec;
    const jsonBytes = writeOpenAnswer(writer, data, { modelName, modelVersion: pipelineVersion });
    if (jsonBytes === null) return openJsonForm;
    return { contentType: 'application/octet-stream', headers: `${jsonLengthHeader}: ${jsonBytes}\r\n` };
  }

  #template(plan: RequestPlan, data: AnswerData): JsonTemplate {
    let templates = this.#templates.get(plan);
    if (templates === undefined) {
      templates = new Map();
      this.#templates.set(plan, templates);
    }
    const key = columnsKey(data);
    let template = templates.get(key);
    if (template === undefined) {
      if (templates.size === maxTemplates) templates.clear();
      const { dataset, generation } = plan;
      template = new JsonTemplate(answerFields(dataset, generation, data), dataset.separator);
      templates.set(key, template);
    }
    return template;
  }

  #lastModelJson(model: ModelIdentity): string {
    if (this.#lastModelText?.model !== model) {
      this.#lastModelText = { model, text: JSON.stringify({ model_name: model.name, model_sha: model.sha }) };
    }
    return this.#lastModelText.text;
  }
}

function unservedVersion(asked: string, served: string): DomainError {
  return new DomainError('not_found', `Version ${JSON.stringify(asked)} is not served at the moment; ${served} is.`);
}

/** Names of all columns, in a form that no two sets of names share. */
function columnsKey({ batch, outputs, sides }: AnswerData): string {
  const [input, ...inputs] = batch.columns;
  if (inputs.length === 0 && outputs.length === 1 && sides.length === 0) return `${input!.name}\n${outputs[0]!.name}`;
  return JSON.stringify([
    batch.columns.map((column) => column.name),
    outputs.map((column) => column.name),
    sides.map(({ name, outputs: columns }) => [name, columns.map((column) => column.name)]),
  ]);
}

function isAnswered(side: SettledSide): side is SettledSide & AnsweredSide {
  return side.isAnswered && side.outputs !== null;
}

/** JSON without a stated format is the classic form when it is an object. */
function sniff(body: Buffer): 'records' | 'classic' {
  let at = 0;
  while (at < body.length && body[at]! <= 32) at += 1;
  return body[at] === 123 ? 'classic' : 'records';
}

function nanosecondsSince(startedAtMs: number): number {
  return Math.round((performance.now() - startedAtMs) * 1e6);
}
