import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { measuring } from '@quotidien/machine/file-hash';
import { PipelineError } from '../../errors.ts';
import { bodyChunks } from '../shared/object-body.ts';
import type { ObjectBody, PutOptions } from '../../ports/objects.ts';
import { isLostRace, isUnsettled, s3Error } from './s3-errors.ts';
import { isMissingByHead } from './s3-missing.ts';
import type { S3Target } from './s3-missing.ts';

/**
 * Up to this a body is one request; above, parts of this size. S3 takes 10,000 parts: an object of
 * 78 GiB.
 */
const PART_BYTES = 8 << 20;

/** Parts on their way at the same time: measured, a stream of 512 MiB takes 120 MiB of memory. */
const PARTS_AT_ONCE = 3;

/** The member of an object's metadata that says which call created it. */
const WRITER = 'quotidien-put';

/**
 * The member that says the sha256 of the bytes, where they were all there before the request: a
 * look at the object then tells whether it was replaced.
 */
export const WRITTEN_HASH = 'quotidien-sha256';

interface Measured {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Stores a body under one key. An object becomes visible as a whole or not at all; a multipart
 * upload that fails is aborted, so that its parts cost nothing (those of a killed process are left
 * to the bucket's lifecycle rule).
 *
 * Create-only is `If-None-Match: *`, on the single request or on the completion of the parts. The
 * SDK sends a request again when its answer was lost, and would then be told that the object
 * exists; and a server that refuses before it has read the body may break the connection under its
 * own answer. So each create carries a random id in its metadata, by which it recognises its own
 * object: `STORE_CONFLICT` always means somebody else.
 */
export async function uploadObject(
  target: S3Target,
  body: ObjectBody,
  options: UploadOptions,
): Promise<Measured> {
  const writer = options.mode === 'create' ? randomUUID() : undefined;
  const content = await openContent(body, target.onBytes);
  try {
    const send = content.rest === undefined ? putAtOnce : putInParts;
    await send(target, content, headersFor(options, writer));
    return content.measured();
  } catch (error) {
    if (writer === undefined || !isUnsettled(error)) throw s3Error(error, 'write', target.place);
    await settle(target, writer, error);
    return content.measured();
  } finally {
    await content.close();
  }
}

/** Large bodies go up in pieces; the object appears with the last request, or not at all. */
export interface UploadOptions extends Pick<PutOptions, 'mediaType' | 'mode'> {
  /** Replaces the object of this etag alone; `STORE_CONFLICT` when it is another by then. */
  readonly replaces?: string;
}

interface Headers {
  ContentType: string;
  IfNoneMatch?: '*';
  IfMatch?: string;
  Metadata?: Record<string, string>;
}

function headersFor(options: UploadOptions, writer: string | undefined): Headers {
  const ContentType = options.mediaType;
  if (options.replaces !== undefined) return { ContentType, IfMatch: `"${options.replaces}"` };
  return writer === undefined
    ? { ContentType }
    : { ContentType, IfNoneMatch: '*', Metadata: { [WRITER]: writer } };
}

async function putAtOnce(target: S3Target, content: Content, headers: Headers): Promise<void> {
  const { client, bucket, objectKey } = target;
  const Body = Buffer.concat(content.first);
  const Metadata = { ...headers.Metadata, [WRITTEN_HASH]: content.measured().sha256 };
  await client.send(
    new PutObjectCommand({ Bucket: bucket, Key: objectKey, Body, ...headers, Metadata }),
  );
}

async function putInParts(target: S3Target, content: Content, headers: Headers): Promise<void> {
  const { client, bucket, objectKey } = target;
  // Asked before, because the answer to the condition comes only after all bytes were sent.
  if (headers.IfNoneMatch !== undefined && (await writerOf(target)) !== 'nobody')
    throw conflict(target);
  const Body = Readable.from(joined(content.first, content.rest ?? []), {
    objectMode: true,
    highWaterMark: 1,
  });
  const upload = new Upload({
    client,
    queueSize: PARTS_AT_ONCE,
    partSize: PART_BYTES,
    // It does not abort when the completion is refused, so that is done here for all cases.
    leavePartsOnError: true,
    params: { Bucket: bucket, Key: objectKey, Body, ...headers },
  });
  try {
    await upload.done();
  } catch (error) {
    if (upload.uploadId !== undefined) await abortUpload(target, upload.uploadId);
    throw error;
  }
}

/** Best effort: the error of the upload itself is the one to report. */
async function abortUpload(target: S3Target, uploadId: string): Promise<void> {
  const { client, bucket, objectKey } = target;
  const abort = new AbortMultipartUploadCommand({
    Bucket: bucket,
    Key: objectKey,
    UploadId: uploadId,
  });
  await client.send(abort).catch(() => undefined);
}

/**
 * Finds out how a create ended whose answer is not to be trusted: returns when the object is our
 * own, throws otherwise.
 */
async function settle(target: S3Target, writer: string, error: unknown): Promise<void> {
  const found = await writerOf(target);
  if (found === writer) return;
  if (found !== 'nobody') throw conflict(target, error);
  if (!isLostRace(error)) throw s3Error(error, 'write', target.place);
  // Refused, and yet nothing is there: it was deleted in between, or the two writers were sent away
  // both.
  const message = `cannot write ${target.place}: others write it right now; try again`;
  throw new PipelineError('STORE_UNAVAILABLE', message, { cause: error });
}

/**
 * Who created the object: the id of a put, `somebody` who left none, or `nobody` when it does not
 * exist.
 */
async function writerOf(target: S3Target): Promise<string> {
  const { client, bucket, objectKey } = target;
  try {
    const { Metadata } = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: objectKey }),
    );
    return Metadata?.[WRITER] ?? 'somebody';
  } catch (error) {
    return (await isMissingByHead(target, error)) ? 'nobody' : 'somebody';
  }
}

function conflict(target: S3Target, cause?: unknown): PipelineError {
  return new PipelineError('STORE_CONFLICT', `the object ${target.place} exists already`, {
    context: { place: target.place },
    cause,
  });
}

/**
 * A body whose beginning is in memory; `rest` is what follows, absent when the beginning is all.
 */
interface Content {
  readonly first: readonly Uint8Array[];
  readonly rest: AsyncIterable<Uint8Array> | undefined;
  /** Of the bytes that were read so far: of the whole body once `rest` is used up. */
  measured(): Measured;
  /** Lets go of the body when it was not read to its end. */
  close(): Promise<void>;
}

async function openContent(body: ObjectBody, onBytes: () => void): Promise<Content> {
  const count = { bytes: 0 };
  const cut = cutChunks(body, (bytes) => {
    count.bytes += bytes;
    onBytes();
  });
  const { chunks, measured } = measuring(cut);
  const first: Uint8Array[] = [];
  let ended = false;
  while (!ended && count.bytes <= PART_BYTES) {
    const next = await chunks.next();
    if (next.done === true) ended = true;
    else first.push(next.value);
  }
  return {
    first,
    rest: ended ? undefined : chunks,
    measured,
    close: async () => {
      await chunks.return(undefined);
    },
  };
}

/**
 * The chunks of a body, cut to at most a part; those of a producer are copied, because it may use
 * its buffer again.
 */
async function* cutChunks(
  body: ObjectBody,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const copy = Symbol.asyncIterator in body;
  for await (const chunk of bodyChunks(body)) {
    for (let at = 0; at < chunk.byteLength; at += PART_BYTES) {
      const piece = chunk.subarray(at, at + PART_BYTES);
      count(piece.byteLength);
      yield copy ? Buffer.from(piece) : piece;
    }
  }
}

async function* joined(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array> | readonly Uint8Array[],
): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}
