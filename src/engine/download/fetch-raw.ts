import { PipelineError } from '../../errors.ts';
import { required } from '../../given.ts';
import type { RawNames } from '../../pipelines/dataset.ts';
import type { FetchWindow } from '../../pipelines/source-declaration.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { AnswerFacts, FetchedFile, OfferedFile, Source } from '../../ports/source.ts';
import { putContent } from '../content-store.ts';
import type { Engine, StepControl } from '../engine.ts';
import { noteOwnFile } from './deposit-notes.ts';
import { keepByName } from './raw-names.ts';

/** One window of one part, asked with the ETag of what is known unless told otherwise. */
export interface RawRequest {
  readonly pipeline: string;
  readonly part: string;
  readonly source: Source;
  readonly names?: RawNames | undefined;
  readonly window: FetchWindow;
  /** What this window gave the last time. */
  readonly known: Receipt | undefined;
  /**
   * Takes the whole answer, also where the publisher says that it is the one we have: what we have
   * is not all of it.
   */
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
 * Asks for a window: by ETag where the publisher gave one, and by the dataset's own time of
 * processing. A "not modified" is not believed when that time has moved since, because portals
 * cache their answers longer than their data.
 */
export async function fetchRaw(
  engine: Engine,
  control: StepControl,
  request: RawRequest,
): Promise<RawAnswer> {
  const { source, known, unconditional, part } = request;
  const { signal } = control;
  const offered = await offeredFor(source, request.window, signal);
  const freshness = offered.version ?? null;
  const sameFreshness = known !== undefined && freshness !== null && freshness === known.freshness;
  const etag = known?.origin.etag ?? null;
  if (known !== undefined && etag === null && sameFreshness && !unconditional)
    return unchanged(engine, known, freshness);
  // Without a freshness value there is nothing to hold against the ETag.
  const trusted = !unconditional && (freshness === null || sameFreshness);
  const fetched = await source.fetch(offered, {
    signal,
    progress: (note) => {
      control.progress(`${note} of ${part}`);
    },
    ...(trusted && etag !== null && { known: etag }),
  });
  // It is told only of what is known.
  if (fetched === undefined)
    return unchanged(engine, required(known, 'the receipt of what is unchanged'), freshness);
  try {
    return await keepAnswer(engine, request, fetched, freshness);
  } finally {
    await source.discard(fetched);
  }
}

/** What a publisher offers for a window, with its freshness value as the version. */
export async function offeredFor(
  source: Source,
  window: FetchWindow,
  signal: AbortSignal,
): Promise<OfferedFile> {
  for await (const offered of source.list({ window, signal })) return offered;
  throw new PipelineError(
    'INTERNAL',
    `${source.place} offers nothing for ${window.from} … ${window.to}`,
  );
}

async function keepAnswer(
  engine: Engine,
  request: RawRequest,
  fetched: FetchedFile,
  freshness: string | null,
): Promise<RawAnswer> {
  const { pipeline, part, window, known } = request;
  const answer = required(fetched.answer, 'what the publisher said with its answer');
  const { url, status, etag, lastModified, extension, mediaType } = answer;
  const folder = `raw/${pipeline}/${part}/${window.from}_${window.to}`;
  const raw = await putContent(engine.objects, { folder, extension, mediaType }, fetched);
  const retrievedAt = engine.now().toISOString();
  const same = known?.origin.raw.sha256 === raw.sha256;
  if (!same) await nameAnswer(engine, request, fetched, answer);
  const sample = answer.sample === true ? { sample: true as const } : {};
  const origin: Origin = same
    ? { ...known.origin, etag, ...sample }
    : { part, url, etag, lastModified, processedAt: freshness, retrievedAt, ...sample, raw };
  return { origin, status, unchanged: same, checkedAt: retrievedAt, freshness };
}

/** Keeps the answer for one day under the name that other programs know. */
async function nameAnswer(
  engine: Engine,
  { names, part, window, pipeline }: RawRequest,
  fetched: FetchedFile,
  { mediaType }: AnswerFacts,
): Promise<void> {
  const name = names?.nameOf({ part, window, at: engine.now() });
  if (name === undefined || names?.dayOf(name) === undefined) return;
  const own = await keepByName(engine.objects, name, fetched, mediaType);
  await noteOwnFile(engine, pipeline, own);
}

function unchanged(engine: Engine, known: Receipt, freshness: string | null): RawAnswer {
  const checkedAt = engine.now().toISOString();
  return { origin: known.origin, status: UNCHANGED, unchanged: true, checkedAt, freshness };
}
