import { type InferenceErrorForm, readOpenModelPath, type SdkGeneration, sdkGeneration } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { type Dataset, readDataset } from './dataset.ts';

/** `json`: classic when the body is an object, else records. `open`: the Open Inference Protocol. */
export type BodyFormat = 'records' | 'classic' | 'json' | 'arrow' | 'open';

export interface PlanHeaders {
  /** `/infer?<query>`, or a path of the Open Inference Protocol */
  readonly target: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly userAgent: string | undefined;
  /** Of the Open Inference Protocol: how much of the body is JSON, as it was sent. */
  readonly jsonLength?: string | undefined;
}

/** What the head of a request of the Open Inference Protocol says. */
export interface OpenPlan {
  /** The model's name as the caller wrote it. */
  readonly modelName: string;
  /** The version that the caller insists on. */
  readonly version: string | null;
  /** Bytes of JSON that the body begins with; null when it is JSON alone. */
  readonly jsonBytes: number | null;
}

/** What a request's head says about how to read its body and write its answer. */
export interface RequestPlan {
  readonly bodyFormat: BodyFormat;
  readonly wantsArrow: boolean;
  readonly dataset: Dataset;
  readonly generation: SdkGeneration;
  readonly errorForm: InferenceErrorForm;
  /** Null for the platform's own formats. */
  readonly open: OpenPlan | null;
}

const maxPlans = 256;

/** Callers repeat themselves, so a plan is made once for each distinct set of headers. */
export class PlanCache {
  readonly #plans = new Map<string, RequestPlan>();

  /** Throws a DomainError when the content type is none that we read. */
  get(headers: PlanHeaders): RequestPlan {
    // How much of a body is JSON differs from request to request.
    if (headers.target.startsWith('/v2/')) return makeOpenPlan(headers);
    const key = `${headers.target}\n${headers.contentType}\n${headers.accept}\n${headers.userAgent}`;
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      plan = makePlan(headers);
      if (this.#plans.size === maxPlans) this.#plans.clear();
      this.#plans.set(key, plan);
    }
    return plan;
  }
}

function makePlan({ target, contentType, accept, userAgent }: PlanHeaders): RequestPlan {
  const bodyFormat = readFormat(contentType);
  const question = target.indexOf('?');
  const generation = sdkGeneration(userAgent);
  return {
    bodyFormat,
    wantsArrow: wantsArrow(accept, bodyFormat),
    dataset: readDataset(new URLSearchParams(question < 0 ? '' : target.slice(question + 1))),
    generation,
    errorForm: generation,
    open: null,
  };
}

const wholeDataset = readDataset(new URLSearchParams());

function makeOpenPlan({ target, jsonLength, userAgent }: PlanHeaders): RequestPlan {
  const path = readOpenModelPath(target);
  if (path?.action !== 'infer') throw new DomainError('not_found', 'A pod answers inferences and nothing else.');
  return {
    bodyFormat: 'open',
    wantsArrow: false,
    dataset: wholeDataset,
    generation: sdkGeneration(userAgent),
    errorForm: 'open',
    open: { modelName: path.name, version: path.version, jsonBytes: readJsonLength(jsonLength) },
  };
}

function readJsonLength(sent: string | undefined): number | null {
  if (sent === undefined) return null;
  if (/^[0-9]{1,10}$/.test(sent)) return Number(sent);
  throw new DomainError(
    'invalid_input',
    'The header Inference-Header-Content-Length must be the number of bytes of JSON that the body begins with.',
  );
}

const jsonFormats: ReadonlyMap<string | undefined, BodyFormat> = new Map([
  [undefined, 'json'],
  ['pandas-records', 'records'],
  ['wallaroo', 'classic'],
  ['custom-json', 'classic'],
]);

function readFormat(contentType: string | undefined): BodyFormat {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type === 'application/vnd.apache.arrow.file') return 'arrow';
  const format = parameters.find((parameter) => parameter.startsWith('format='))?.slice('format='.length);
  const json = type === 'application/json' ? jsonFormats.get(format?.replaceAll('"', '')) : undefined;
  if (json !== undefined) return json;
  const found = contentType ? `"${contentType}"` : 'missing';
  throw new DomainError(
    'unsupported_media_type',
    `The content type is ${found}; send application/json, application/json; format=pandas-records, or application/vnd.apache.arrow.file.`,
  );
}

/** The first of the caller's types that we can write decides; without one the answer comes as the body did. */
function wantsArrow(accept: string | undefined, bodyFormat: BodyFormat): boolean {
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const type = range.split(';')[0]!.trim();
    if (type === 'application/vnd.apache.arrow.file') return true;
    if (type === 'application/json') return false;
  }
  return bodyFormat === 'arrow';
}
