import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { definedMembers, required, textBefore } from '../../given.ts';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import type { AwsClientOptions } from './aws-client.ts';
import { awsClientConfig } from './aws-client.ts';
import { awsFault } from './aws-errors.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import { clipRange } from '../shared/byte-range.ts';
import { corrupt, createDownloadedFiles } from '../local/downloaded-files.ts';
import type { Download, DownloadedFiles } from '../local/downloaded-files.ts';
import { bodyChunks } from '../shared/object-body.ts';
import {
  MAX_KEY_BYTES,
  RESERVED_PARTS,
  checkObjectKey,
  checkObjectPrefix,
  isKeyPart,
} from '../shared/object-key.ts';
import type {
  ArtefactRef,
  ContentName,
  DeleteOptions,
  ObjectBody,
  ObjectHead,
  ObjectLook,
  ObjectStore,
  OpenOptions,
  PutFence,
  PutOptions,
} from '../../ports/objects.ts';
import { probeCreateOnly } from './s3-create-only.ts';
import type { CreateOnlyProbe } from './s3-create-only.ts';
import { refuseStrangers } from './s3-strangers.ts';
import { checkFence } from '../local/put-fence.ts';
import { isMissingObject, s3Error } from './s3-errors.ts';
import { checkBucket, isMissingByHead } from './s3-missing.ts';
import { WRITTEN_HASH, uploadObject } from './s3-upload.ts';
import type { S3Target } from './s3-missing.ts';

/**
 * A body up to this is read before `get` returns, so that a reader who forgets it holds no
 * connection.
 */
const READ_AT_ONCE_BYTES = 256 * 1_024;

/** Of S3, prefix included. */
const LONGEST_KEY_BYTES = 1_024;

/** Where the objects lie; the bucket must be there. */
export interface S3StoreOptions extends AwsClientOptions {
  readonly bucket: string;
  /**
   * Put before every key, such as `cityflow/raw`: a key by the port's rules. Prefix and key share
   * S3's 1,024 bytes.
   */
  readonly prefix?: string;
  /** For servers without a host name per bucket. */
  readonly forcePathStyle?: boolean;
}

/** What an object store needs beyond the place: a folder of this disk. */
export interface S3ObjectStoreOptions extends S3StoreOptions {
  /** Where `openLocal` keeps its copies; processes may share it. */
  readonly cacheFolder: string;
  /** The most that the copies have together, but for the newest one; no limit unless given. */
  readonly maxCopyBytes?: number;
  /**
   * Told of every piece of a body that comes from the server, or is taken from its file to go
   * there.
   */
  readonly onBytes?: () => void;
}

/** An object store, with what `doctor` asks of its server. */
export interface S3ObjectStore extends ObjectStore {
  /**
   * Whether this server really lets one creator of a key win. Writes and removes a few tiny objects
   * that no listing shows.
   */
  probeCreateOnly(): Promise<CreateOnlyProbe>;
  /** Ends the connections; the store cannot be used after. */
  close(): Promise<void>;
}

/**
 * Objects of one S3 bucket, or of a server that speaks S3 (with `endpoint`).
 *
 * - Create-only relies on `If-None-Match: *`, which AWS honours since 2024 and some servers ignore
 *   without a word: `probeCreateOnly` tells.
 * - S3 itself lets one key be the folder of another; asking before each put would double its cost,
 *   so only a server that keeps objects as files refuses it.
 * - `openLocal` asks for the object's head each time, so that a missing or replaced object is not
 *   hidden by its copy.
 */
export function openS3ObjectStore(options: S3ObjectStoreOptions): S3ObjectStore {
  if (options.prefix !== undefined) checkObjectKey(options.prefix);
  return new S3Store(options);
}

/**
 * A client whose checksums are those that S3 demands: the SDK's newer defaults break uploads to
 * other servers.
 */
export function createS3Client(options: S3StoreOptions): S3Client {
  const client = new S3Client({
    ...awsClientConfig(options),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...definedMembers({ forcePathStyle: options.forcePathStyle }),
  });
  refuseStrangers(client);
  return client;
}

class S3Store implements S3ObjectStore {
  readonly kind = 's3';
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #downloads: DownloadedFiles;
  readonly #onBytes: () => void;
  readonly #downloading = new Map<string, Promise<string | undefined>>();
  #bucketSeen = false;

  constructor(options: S3ObjectStoreOptions) {
    this.#client = createS3Client(options);
    this.#bucket = options.bucket;
    this.#prefix = options.prefix === undefined ? '' : `${options.prefix}/`;
    this.#downloads = createDownloadedFiles(options.cacheFolder, options.maxCopyBytes);
    this.#onBytes = options.onBytes ?? (() => undefined);
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef> {
    const { sha256, bytes } = await (options.fence === undefined
      ? uploadObject(this.#target(key), body, options)
      : this.#putFenced(key, body, options, options.fence));
    this.#bucketSeen = true;
    return { key, sha256, bytes, mediaType: options.mediaType };
  }

  async get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const target = this.#target(key);
    clipRange(range, 0);
    if (range?.end === range?.start && range !== undefined) return this.#emptyRange(key);
    try {
      const found = await this.#getObject(target, range);
      if (found === undefined) return undefined;
      const bytes = found.ContentLength ?? Number.POSITIVE_INFINITY;
      const stream = streamOf(found, target.place, this.#onBytes);
      return bytes <= READ_AT_ONCE_BYTES ? bodyChunks(await allOf(stream)) : stream;
    } catch (error) {
      // The range begins behind the end of the object, or the object is empty.
      if (awsFault(error).name === 'InvalidRange' || awsFault(error).status === 416)
        return bodyChunks(new Uint8Array());
      throw s3Error(error, 'read', target.place);
    }
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const found = await this.#headObject(key);
    return found === undefined
      ? undefined
      : { key, bytes: found.ContentLength ?? 0, etag: etagOf(found) };
  }

  async #headObject(key: string): Promise<HeadObjectCommandOutput | undefined> {
    const target = this.#target(key);
    try {
      const found = await this.#client.send(
        new HeadObjectCommand({ Bucket: this.#bucket, Key: target.objectKey }),
      );
      this.#bucketSeen = true;
      return found;
    } catch (error) {
      if (!(await isMissingByHead(target, error))) throw s3Error(error, 'read', target.place);
      await this.#seeBucket();
      return undefined;
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectHead> {
    checkObjectPrefix(prefix);
    const query = {
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      EncodingType: 'url' as const,
    };
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, query)) {
        this.#bucketSeen = true;
        for (const found of page.Contents ?? []) {
          const listed = required(found.Key, 'the key of a listed object');
          const name = page.EncodingType === 'url' ? decodeKey(listed) : listed;
          const key = name.slice(this.#prefix.length);
          if (isObjectKey(key)) yield { key, bytes: found.Size ?? 0, etag: etagOf(found) };
        }
      }
    } catch (error) {
      throw s3Error(error, 'list', `s3://${query.Bucket}/${query.Prefix}`);
    }
  }

  async delete(key: string, { fence }: DeleteOptions = {}): Promise<void> {
    const { objectKey, place } = this.#target(key);
    await checkFence(key, fence);
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: objectKey }));
    } catch (error) {
      if (!isMissingObject(error)) throw s3Error(error, 'delete', place);
    }
  }

  async inspect(ref: ContentName): Promise<ObjectLook> {
    const found = await this.#headObject(ref.key);
    if (found === undefined) return { state: 'missing' };
    const written = found.Metadata?.[WRITTEN_HASH] ?? ref.sha256;
    return {
      state:
        (found.ContentLength ?? 0) === ref.bytes && written === ref.sha256 ? 'intact' : 'damaged',
    };
  }

  async openLocal(
    ref: ContentName,
    { fresh = false, until }: OpenOptions = {},
  ): Promise<string | undefined> {
    for (;;) {
      const copy = await this.#openCopy(ref, fresh);
      // One that was evicted before it was held is made again.
      if (copy === undefined || until === undefined || (await this.#downloads.hold(copy, until)))
        return copy;
    }
  }

  async #openCopy(ref: ContentName, fresh: boolean): Promise<string | undefined> {
    const head = await this.head(ref.key);
    if (head === undefined) return undefined;
    if (head.bytes !== ref.bytes) throw corrupt(ref, head);
    const copy = fresh ? undefined : await this.#downloads.find(ref, head.etag);
    if (copy !== undefined) return copy;
    // Readers of one process that want the same object at the same time share one download.
    const name = `${String(fresh)} ${ref.sha256} ${ref.key}`;
    const running = this.#downloading.get(name);
    if (running !== undefined) return running;
    const download = this.#download(ref).finally(() => this.#downloading.delete(name));
    this.#downloading.set(name, download);
    return download;
  }

  probeCreateOnly(): Promise<CreateOnlyProbe> {
    return probeCreateOnly({ client: this.#client, bucket: this.#bucket, prefix: this.#prefix });
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  /**
   * Replaces what was there before the look at the newest version, and looks again when that is
   * another by then.
   */
  async #putFenced(key: string, body: ObjectBody, { mediaType }: PutOptions, fence: PutFence) {
    for (;;) {
      const before = await this.head(key);
      await checkFence(key, fence);
      const condition =
        before === undefined
          ? { mode: 'create' as const }
          : { mode: 'replace' as const, replaces: before.etag };
      try {
        return await uploadObject(this.#target(key), body, { mediaType, ...condition });
      } catch (error) {
        // A stream cannot be sent twice.
        if (errorCodeOf(error) !== 'STORE_CONFLICT' || Symbol.asyncIterator in body) throw error;
      }
    }
  }

  #target(key: string): S3Target {
    checkObjectKey(key);
    const objectKey = this.#prefix + key;
    if (Buffer.byteLength(objectKey) > LONGEST_KEY_BYTES) {
      const message = `the object key ${key} is not usable: with the prefix ${this.#prefix} it is longer than ${LONGEST_KEY_BYTES} bytes`;
      throw new PipelineError('INPUT_INVALID', message);
    }
    const place = `s3://${this.#bucket}/${objectKey}`;
    return { client: this.#client, bucket: this.#bucket, objectKey, place, onBytes: this.#onBytes };
  }

  async #getObject(
    target: S3Target,
    range?: ByteRange,
  ): Promise<GetObjectCommandOutput | undefined> {
    const { objectKey } = target;
    const last = range?.end === undefined ? '' : String(range.end - 1);
    const wanted = range === undefined ? {} : { Range: `bytes=${range.start}-${last}` };
    try {
      const found = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: objectKey, ...wanted }),
      );
      this.#bucketSeen = true;
      return found;
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw error;
    }
  }

  /** HTTP has no empty range. */
  async #emptyRange(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.head(key)) === undefined ? undefined : bodyChunks(new Uint8Array());
  }

  async #download(ref: ContentName): Promise<string | undefined> {
    const target = this.#target(ref.key);
    let found: GetObjectCommandOutput | undefined;
    try {
      found = await this.#getObject(target);
    } catch (error) {
      throw s3Error(error, 'read', target.place);
    }
    if (found === undefined) return undefined;
    const download: Download = {
      etag: etagOf(found),
      stream: streamOf(found, target.place, this.#onBytes),
    };
    return this.#downloads.add(ref, download);
  }

  /**
   * An answer to HEAD does not say whether the key or the whole bucket is missing, so a first "not
   * found" is looked into.
   */
  async #seeBucket(): Promise<void> {
    if (this.#bucketSeen) return;
    await checkBucket(this.#client, this.#bucket);
    this.#bucketSeen = true;
  }
}

function etagOf(found: { readonly ETag?: string | undefined }): string {
  // Quoted or not: servers differ, also between their own answers.
  return (found.ETag ?? '').replaceAll('"', '');
}

/**
 * Whether a listed name can be a key; markers of folders and other foreign names are not objects of
 * this store.
 */
function isObjectKey(name: string): boolean {
  const parts = name.split('/');
  return (
    Buffer.byteLength(name) <= MAX_KEY_BYTES &&
    !RESERVED_PARTS.has(textBefore(name, '/')) &&
    parts.every(isKeyPart)
  );
}

/** Listings are asked for in URL encoding, because XML cannot hold every character of a key. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '));
}

async function* streamOf(
  found: GetObjectCommandOutput,
  place: string,
  onBytes: () => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of found.Body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      onBytes();
      yield chunk;
    }
  } catch (error) {
    throw s3Error(error, 'read', place);
  }
  if (found.ContentLength !== undefined && bytes !== found.ContentLength) {
    const message = `${place} ended after ${bytes} of ${found.ContentLength} bytes; try again`;
    throw new PipelineError('STORE_UNAVAILABLE', message);
  }
}

async function allOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
