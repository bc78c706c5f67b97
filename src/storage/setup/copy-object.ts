import { measuring } from '@quotidien/machine/file-hash';
import { definedMembers } from '../../given.ts';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import { hashOfObject } from '../outage/fallback-objects.ts';
import type { CopyNote } from './migration-notes.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ObjectHead, ObjectStore } from '../../ports/objects.ts';

/**
 * What an ending of a key says of its bytes; the port of objects does not give their media type
 * back.
 */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  parquet: 'application/vnd.apache.parquet',
  txt: 'text/plain; charset=utf-8',
};

/** Both stores of one home: documents name objects, so they are copied together. */
export interface Installation {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
}

/**
 * Copies an object, reads it back from the target and compares the hashes; `STORE_CORRUPT` when
 * they differ. Returns what is to be noted.
 */
export async function copyObject(
  { from, to }: { readonly from: Installation; readonly to: Installation },
  { key, etag }: ObjectHead,
  mode: 'create' | 'replace',
): Promise<CopyNote> {
  const stream = await from.objects.get(key);
  if (stream === undefined) throw changed(`the object ${key}`);
  const { chunks, measured } = measuring(fromSource(stream));
  await to.objects.put(key, chunks, { mode, mediaType: mediaTypeOf(key) });
  const sent = measured().sha256;
  const found = await hashOfObject(to.objects, key);
  if (found !== sent) throw notRight(`the object ${key}`, sent, found);
  const there = await to.objects.head(key);
  return { name: key, sha256: sent, from: etag, ...definedMembers({ to: there?.etag }) };
}

async function* fromSource(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    // Said of the source, in the middle of a put to the target.
    const code = errorCodeOf(error) ?? 'INTERNAL';
    throw new PipelineError(code, `the source broke off: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function mediaTypeOf(key: string): string {
  const ending = /\.([A-Za-z0-9]+)$/.exec(key)?.[1]?.toLowerCase();
  const known =
    ending !== undefined && Object.hasOwn(MEDIA_TYPES, ending) ? MEDIA_TYPES[ending] : undefined;
  return known ?? 'application/octet-stream';
}

function changed(what: string): PipelineError {
  return new PipelineError(
    'STORE_CONFLICT',
    `${what} vanished from the source while it was copied: stop its writers`,
  );
}

/** A copy that is not what was sent. */
export function notRight(what: string, sent: string, found: string | null): PipelineError {
  const message = `${what} reads back from the target with the sha256 ${found ?? 'of something else'} instead of ${sent}`;
  return new PipelineError('STORE_CORRUPT', `${message}: check the target store`);
}
