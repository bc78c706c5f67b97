import { PipelineError } from '../../errors.ts';
import type { FetchWindow, HttpSource, RawNames } from '../../pipelines/dataset.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { putContent } from '../content-store.ts';
import type { Engine, StepControl } from '../engine.ts';
import type { HttpClient, HttpDownload } from './http-client.ts';
import { downloadPages } from './fetch-pages.ts';
import { noteOwnFile } from './deposit-notes.ts';
import { keepByName } from './raw-names.ts';

/** One window of one part, asked with the ETag of what is known unless told otherwise. */
export interface RawRequest {
  readonly pipeline: string;
  readonly part: string;
  readonly source: HttpSource;
  readonly names?: RawNames | undefined;
  readonly window: FetchWindow;
  /** What this window gave the last time. */
  readonly known: Receipt | undefined;
  /** Takes the whole answer, also where the publisher says that it is the one we have: what we have is not all of it. */
  readonly unconditional: boolean;
}

/** What the publisher has for the window now. */
export interface RawAnswer {
  readonly origin: Origin;
  readonly status: number;
  /** The bytes are those of the known receipt. */
  readonly unchanged: boolean;
  readonly checkedAt: string;
  readonly freshness: string | null;
}

const UNCHANGED = 304;

/**
 * Asks for a window: by ETag where the publisher gave one, and by the dataset's own time of processing. A "not modified" is not
 * believed when that time has moved since, because portals cache their answers longer than their data.
 */
export async function fetchRaw(engine: Engine, control: StepControl, request: RawRequest): Promise<RawAnswer> {
  const http = httpOf(engine);
  const { source, known, unconditional } = request;
  const freshness = await readFreshness(engine, source, control.signal);
  const sameFreshness = known !== undefined && freshness !== null && freshness === known.freshness;
  const etag = known?.origin.etag ?? null;
  if (known !== undefined && etag === null && sameFreshness && !unconditional)
    return unchanged(engine, known, freshness);
  // Without a freshness value there is nothing to hold against the ETag.
  const trusted = !unconditional && (freshness === null || sameFreshness);
  const path = source.pathOf(request.window);
  const url = urlOf(source, path);
  const download = await downloadPages(http, source, {
    path,
    urlOf: (page) => urlOf(source, page),
    ifNoneMatch: trusted ? etag : null,
    credential: source.credential,
    trusted: source.trusted,
    signal: control.signal,
    progress: (bytes) => {
      control.progress(`${bytes} bytes of ${request.part}`);
    },
  });
  if (download === undefined) {
    if (known === undefined)
      throw new PipelineError('SRC_SHAPE_CHANGED', `${url} answered 304 to an unconditional request`);
    return unchanged(engine, known, freshness);
  }
  try {
    const { extension, mediaType } = source;
    const folder = `raw/${request.pipeline}/${request.part}/${request.window.from}_${request.window.to}`;
    const raw = await putContent(engine.objects, { folder, extension, mediaType }, download);
    const retrievedAt = engine.now().toISOString();
    const same = known?.origin.raw.sha256 === raw.sha256;
    if (!same) await nameAnswer(engine, request, download);
    const sample = download.sample === true ? { sample: true as const } : {};
    const origin: Origin = same
      ? { ...known.origin, etag: download.etag, ...sample }
      : {
          part: request.part,
          url,
          etag: download.etag,
          lastModified: download.lastModified,
          processedAt: freshness,
          retrievedAt,
          ...sample,
          raw,
        };
    return { origin, status: download.status, unchanged: same, checkedAt: retrievedAt, freshness };
  } finally {
    await http.discard(download);
  }
}

/** Keeps the answer for one day under the name that other programs know. */
async function nameAnswer(engine: Engine, request: RawRequest, download: HttpDownload): Promise<void> {
  const { names, part, window, source } = request;
  const name = names?.nameOf({ part, window, at: engine.now() });
  if (name === undefined || names?.dayOf(name) === undefined) return;
  const own = await keepByName(engine.objects, name, download, source.mediaType);
  await noteOwnFile(engine, request.pipeline, own);
}

function unchanged(engine: Engine, known: Receipt, freshness: string | null): RawAnswer {
  const checkedAt = engine.now().toISOString();
  return { origin: known.origin, status: UNCHANGED, unchanged: true, checkedAt, freshness };
}

/** The freshness value, or null when this publisher or its catalogue cannot tell: then the data themselves are asked. */
export async function readFreshness(
  engine: Pick<Engine, 'http'>,
  source: HttpSource,
  signal: AbortSignal,
): Promise<string | null> {
  if (source.freshness === undefined) return null;
  const url = urlOf(source, source.freshness.path);
  const { credential, trusted } = source;
  const catalogue = await httpOf(engine).json({ url, accept: 'application/json', credential, trusted, signal });
  return source.freshness.valueOf(catalogue) ?? null;
}

/** The base URL may have a path of its own, as behind a proxy. */
function urlOf({ baseUrl }: HttpSource, path: string): string {
  return new URL(`${baseUrl.replace(/\/$/, '')}/${path.replace(/^\//, '')}`).href;
}

function httpOf(engine: Pick<Engine, 'http'>): HttpClient {
  if (engine.http === undefined) {
    throw new PipelineError(
      'INTERNAL',
      'this worker does not talk to publishers; the step belongs on a fetch task queue',
    );
  }
  return engine.http;
}
