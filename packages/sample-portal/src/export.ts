import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Answer, Bytes } from './answer.ts';
import { countBytes, parameterRefusal, sliceBytes } from './answer.ts';
import type { Validators } from './conditional.ts';
import { isUnchanged, mayResume, parseRange } from './conditional.ts';
import type { CsvFormat, DatasetState, Selection } from './dataset.ts';
import type { FaultKind } from './faults.ts';
import { changeHeader } from './header-change.ts';
import { parseWhere } from './odsql.ts';
import { formatOf, refuseUnsupported } from './query.ts';
import type { PortalRequest } from './requests.ts';

const BODY_LENGTHS_KEPT = 1_000;
const CSV = 'text/csv; charset=utf-8';

/** One export, ready to be sent whole or in part. */
interface Export {
  /** Equal texts mean equal bytes. */
  readonly content: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: () => Bytes;
}

/** Makes the answers to exports of one portal. */
export interface Exporter {
  answer(
    request: PortalRequest,
    state: DatasetState,
    fault: FaultKind | undefined,
  ): Promise<Answer>;
}

function gzip(body: Bytes): Bytes {
  // An error of the body destroys the compressor too, so whoever reads it sees it.
  return pipeline(Readable.from(body), createGzip(), () => undefined);
}

function changedBody(
  csv: () => Bytes,
  fault: FaultKind | undefined,
  { delimiter }: CsvFormat,
): () => Bytes {
  return fault?.kind === 'header' ? () => changeHeader(csv(), fault.change, delimiter) : csv;
}

interface Form {
  readonly plain: () => Bytes;
  readonly mediaType: string;
  readonly extension: 'csv' | 'json' | 'geojson';
}

/** The form that the path asks for. @throws a 400 refusal where the dataset is not served in it. */
function formOf(
  request: PortalRequest,
  selection: Selection,
  format: CsvFormat,
  fault: FaultKind | undefined,
): Form {
  const extension = /\/exports\/(json|geojson)\/?$/.exec(request.path)?.[1];
  if (extension === 'json' && selection.json !== undefined) {
    return {
      plain: () => selection.json?.(format.zone) ?? [],
      mediaType: 'application/json; charset=utf-8',
      extension,
    };
  }
  if (extension === 'geojson' && selection.geojson !== undefined) {
    return {
      plain: () => selection.geojson?.() ?? [],
      mediaType: 'application/geo+json; charset=utf-8',
      extension,
    };
  }
  if (extension !== undefined)
    throw parameterRefusal(`The sample portal does not give this dataset as ${extension}.`);
  return {
    plain: changedBody(() => selection.csv(format), fault, format),
    mediaType: CSV,
    extension: 'csv',
  };
}

async function prepare(
  request: PortalRequest,
  state: DatasetState,
  fault: FaultKind | undefined,
): Promise<Export> {
  refuseUnsupported(request.query);
  const format = formatOf(request.query);
  const selection = state.select(parseWhere(request.query['where']), format.zone);
  const { plain, mediaType, extension } = formOf(request, selection, format, fault);
  const zipped =
    fault?.kind === 'gzip' && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const change = fault?.kind === 'header' ? fault.change : null;
  return {
    content: JSON.stringify([await selection.contentKey(), extension, format, change, zipped]),
    headers: {
      'content-type': mediaType,
      'content-disposition': `attachment; filename="${request.dataset ?? 'export'}.${extension}"`,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    },
    body: zipped ? () => gzip(plain()) : plain,
  };
}

/**
 * Sizes of bodies by what they are made of: a 206 must name the size, and a resumed download asks
 * several times.
 */
function createLengths(): (made: Export) => Promise<number> {
  const lengths = new Map<string, number>();
  return async ({ content, body }) => {
    const known = lengths.get(content);
    if (known !== undefined) return known;
    const length = await countBytes(body);
    const oldest = lengths.size >= BODY_LENGTHS_KEPT ? lengths.keys().next().value : undefined;
    if (oldest !== undefined) lengths.delete(oldest);
    lengths.set(content, length);
    return length;
  };
}

/** The ETag of an export as the fault has it; `serial` differs at each answer. */
function etagOf(
  request: PortalRequest,
  made: Export,
  fault: FaultKind | undefined,
  serial: number,
): string | undefined {
  const mode = fault?.kind === 'etag' ? fault.mode : 'right';
  if (mode === 'missing') return undefined;
  const basis = {
    right: made.content,
    stale: `${request.path}?${JSON.stringify(request.query)}`,
    volatile: String(serial),
  }[mode];
  return `"${createHash('sha256').update(basis).digest('hex').slice(0, 32)}"`;
}

function hasIt(
  request: PortalRequest,
  validators: Validators,
  fault: FaultKind | undefined,
): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers;
  if (fault?.kind === 'etag' && fault.mode === 'stale')
    return tags !== undefined || since !== undefined;
  return isUnchanged(request, validators);
}

function partOf(
  made: Export,
  headers: Answer['headers'],
  [start, end]: readonly [number, number],
  length: number,
): Answer {
  return {
    status: 206,
    headers: {
      ...headers,
      'content-range': `bytes ${start}-${end - 1}/${length}`,
      'content-length': String(end - start),
    },
    body: () => sliceBytes(made.body(), start, end),
    length: end - start,
  };
}

/**
 * Lengths of bodies are remembered: a range of a large export does not make all of it to count it.
 */
export function createExporter(): Exporter {
  const lengthOf = createLengths();
  let serial = 0;
  return {
    async answer(request, state, fault) {
      const made = await prepare(request, state, fault);
      const validators = {
        etag: etagOf(request, made, fault, ++serial),
        modified: state.processedAt,
      };
      const common = {
        ...(validators.etag === undefined ? {} : { etag: validators.etag }),
        'last-modified': validators.modified.toUTCString(),
        'accept-ranges': 'bytes',
        ...(fault?.kind === 'gzip' ? { vary: 'accept-encoding' } : {}),
      };
      if (hasIt(request, validators, fault)) return { status: 304, headers: common };
      const headers = { ...common, ...made.headers };
      const whole = { status: 200, headers, body: made.body };
      if (request.headers.range === undefined || !mayResume(request, validators)) return whole;
      const length = await lengthOf(made);
      const range = parseRange(request.headers.range, length);
      if (range === undefined) return whole;
      if (range === 'invalid')
        return { status: 416, headers: { ...common, 'content-range': `bytes */${length}` } };
      return partOf(made, headers, range, length);
    },
  };
}
