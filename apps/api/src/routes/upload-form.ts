import { DomainError, type StagedArtifact } from '@pademelon/domain';
import type { FastifyRequest } from 'fastify';

/** A multipart form with text fields and at most one file, which was streamed to the artifact store. */
export interface UploadForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: UploadedFile | null;
}

export interface UploadedFile {
  readonly fileName: string;
  readonly staged: StagedArtifact;
}

export interface UploadFormRule {
  /** Names of the text fields that the form may have. */
  readonly fieldNames: readonly string[];
  /** A look at the fields that came before a file, whatever its part is called: throw to refuse it. */
  readonly beforeFile?: (fields: ReadonlyMap<string, string>) => void;
  /** Takes in the file's content; called with the fields that came before it. */
  readonly takeFile: (
    fileName: string,
    content: AsyncIterable<Uint8Array>,
    fields: ReadonlyMap<string, string>,
  ) => Promise<StagedArtifact>;
}

const maxFieldBytes = 3 * 1024 * 1024;
/** An upload that brings nothing for this long is given up. */
const stallMs = 60_000;

/**
 * Reads an upload form whose parts come in any order; the file is in the part `file`. Throws `invalid_input` for forms
 * of another make and for those that are cut off. Whoever gets a file must use it up or discard it.
 */
export async function readUploadForm(request: FastifyRequest, rule: UploadFormRule): Promise<UploadForm> {
  const fields = new Map<string, string>();
  let file: UploadedFile | null = null;
  try {
    for await (const part of readParts(request)) {
      if (part.type === 'field') {
        requireFieldName(part.fieldname, rule.fieldNames, fields);
        fields.set(part.fieldname, requireText(part));
      } else {
        rule.beforeFile?.(fields);
        if (part.fieldname !== 'file') throw wrongName(part.fieldname, ['file', ...rule.fieldNames]);
        if (!part.filename) throw new DomainError('invalid_input', 'The part "file" of the form has no file name.');
        file = {
          fileName: part.filename,
          staged: await rule.takeFile(part.filename, readUpload(request, part.file), fields),
        };
      }
    }
    return { fields, file };
  } catch (error) {
    await file?.staged.discard();
    // Without this the rest of the body would stay in the socket, and the answer behind it.
    request.raw.unpipe();
    request.raw.resume();
    throw error;
  }
}

/** Passes a body on, telling what is cut off or stands still from failures of whoever writes it down. */
export async function* readUpload(
  request: FastifyRequest,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // Ending the request breaks the stream, which ends the loop.
  const stall = setTimeout(() => request.raw.destroy(), stallMs);
  try {
    for await (const chunk of content) {
      yield chunk;
      stall.refresh();
    }
  } catch (cause) {
    throw new DomainError('invalid_input', 'The upload was cut off; send it again.', { cause });
  } finally {
    clearTimeout(stall);
  }
}

async function* readParts(request: FastifyRequest) {
  const limits = { files: 1, fields: 10, fieldSize: maxFieldBytes, fileSize: Number.POSITIVE_INFINITY };
  const parts = request.parts({
    limits,
    // A file by its part's name, whatever else is said of it; text may come with a file name or without.
    isPartAFile: (name, type, fileName) =>
      name === 'file' || (name !== 'metadata' && (fileName !== undefined || type === 'application/octet-stream')),
  });
  try {
    yield* parts;
  } catch (cause) {
    throw new DomainError('invalid_input', explain(cause), { cause });
  }
}

function explain(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'FST_FILES_LIMIT') return 'The form has more than one file; upload one at a time.';
  if (code === 'FST_FIELDS_LIMIT') return 'The form has more fields than an upload can have.';
  if (code === 'FST_INVALID_JSON_FIELD_ERROR') return 'The metadata of the upload is not valid JSON.';
  return 'The upload is not a whole multipart form; it was cut off or is malformed.';
}

interface FieldPart {
  readonly fieldname: string;
  readonly value: unknown;
  readonly valueTruncated: boolean;
}

/** Fields that are declared as JSON arrive parsed; they are read as text again, so that there is one way to check them. */
function requireText({ fieldname, value, valueTruncated }: FieldPart): string {
  if (valueTruncated) throw new DomainError('too_large', `The field ${JSON.stringify(fieldname)} is too long.`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function requireFieldName(name: string, known: readonly string[], fields: ReadonlyMap<string, string>): void {
  if (!known.includes(name)) throw wrongName(name, ['file', ...known]);
  if (fields.has(name)) throw new DomainError('invalid_input', `The form has the field ${JSON.stringify(name)} twice.`);
}

function wrongName(name: string, known: readonly string[]): DomainError {
  return new DomainError(
    'invalid_input',
    `The form has a part ${JSON.stringify(name.slice(0, 80))}; the parts of this form are ${known.join(', ')}.`,
  );
}
