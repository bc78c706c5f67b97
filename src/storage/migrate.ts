import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { PipelineError, errorCodeOf } from '../errors.ts';
import { hashOfBody } from './document-hash.ts';
import { documentName } from './document-key.ts';
import { hashOfObject } from './fallback-objects.ts';
import type { DocumentStore, ObjectHead, ObjectStore, StoredDocument } from './ports.ts';

/** Documents that are created with one call. */
const CREATED_AT_ONCE = 200;

/** Objects that are copied, and documents that are read back, at the same time: a remote store answers each after milliseconds. */
const COPIED_AT_ONCE = 16;

/** What an ending of a key says of its bytes; the port of objects does not give their media type back. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  parquet: 'application/vnd.apache.parquet',
  txt: 'text/plain; charset=utf-8',
};

export interface Installation {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
}

/** How far a migration has come: objects up to and with this key are done, in byte order. Pass it on to go on from there. */
export interface MigrationCursor {
  readonly objectKey: string;
}

export interface MigrationProgress {
  readonly cursor: MigrationCursor;
  readonly objects: number;
  readonly documents: number;
  /** What was just done. */
  readonly at: string;
}

export interface MigrationOptions {
  readonly from: Installation;
  readonly to: Installation;
  /** The tables whose documents are copied. */
  readonly tables: readonly string[];
  /** Where an earlier run of the same migration stood; without it everything is compared again, which is slower and as right. */
  readonly resumeAfter?: MigrationCursor;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: MigrationProgress) => void;
}

interface MigrationCount {
  /** Written now, and read back with the same hash. */
  readonly copied: number;
  /** There already, with the same hash. */
  readonly same: number;
}

export interface MigrationReport {
  readonly objects: MigrationCount;
  readonly documents: MigrationCount;
  /** What the target has otherwise; it was left as it is there. */
  readonly conflicts: readonly string[];
}

/**
 * Copies an installation, objects first, so that no document ever names bytes that are not there. Each copy is read back from the target
 * and compared by its hash. It may be ended anywhere and begun again. What the target has under the same name with other bytes is listed
 * and not touched.
 *
 * The source must not be written meanwhile. Versions of documents begin at 1 again, as nobody holds one across a migration; media
 * types are those that the endings of the keys say.
 *
 * Throws what the stores throw, and `STORE_CORRUPT` when a copy reads back with another hash.
 */
export async function migrate(options: MigrationOptions): Promise<MigrationReport> {
  return new Migration(options).run();
}

class Migration {
  readonly #options: MigrationOptions;
  readonly #objects = { copied: 0, same: 0 };
  readonly #documents = { copied: 0, same: 0 };
  readonly #conflicts: string[] = [];
  #cursor: MigrationCursor;

  constructor(options: MigrationOptions) {
    this.#options = options;
    this.#cursor = options.resumeAfter ?? { objectKey: '' };
  }

  async run(): Promise<MigrationReport> {
    const { from, resumeAfter, tables } = this.#options;
    const done = Buffer.from(resumeAfter?.objectKey ?? '');
    let group: ObjectHead[] = [];
    for await (const head of from.objects.list('')) {
      if (Buffer.compare(Buffer.from(head.key), done) <= 0) continue;
      group.push(head);
      if (group.length < COPIED_AT_ONCE) continue;
      await this.#copyObjects(group);
      group = [];
    }
    await this.#copyObjects(group);
    for (const table of tables) {
      for await (const partition of from.documents.partitions(table)) await this.#copyPartition(table, partition);
    }
    return { objects: this.#objects, documents: this.#documents, conflicts: this.#conflicts };
  }

  /** The cursor moves when all of a group are done: a run that goes on from it finds some of them there already. */
  async #copyObjects(group: readonly ObjectHead[]): Promise<void> {
    const last = group.at(-1);
    if (last === undefined) return;
    this.#options.signal?.throwIfAborted();
    const ends = await Promise.allSettled(group.map((head) => this.#copyObject(head)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    this.#cursor = { objectKey: last.key };
    this.#tell(last.key);
  }

  async #copyObject({ key, bytes }: ObjectHead): Promise<void> {
    const { from, to } = this.#options;
    const there = await to.objects.head(key);
    if (there !== undefined) {
      const equal =
        there.bytes === bytes && (await hashOfObject(from.objects, key)) === (await hashOfObject(to.objects, key));
      if (equal) this.#objects.same += 1;
      else this.#conflicts.push(`the object ${key} has other bytes in the target`);
      return;
    }
    const stream = await from.objects.get(key);
    if (stream === undefined) throw changed(`the object ${key}`);
    const hash = createHash('sha256');
    await to.objects.put(key, hashed(stream, hash), { mode: 'create', mediaType: mediaTypeOf(key) });
    const sent = hash.digest('hex');
    const found = await hashOfObject(to.objects, key);
    if (found !== sent) throw notRight(`the object ${key}`, sent, found);
    this.#objects.copied += 1;
  }

  async #copyPartition(table: string, partition: string): Promise<void> {
    let batch: StoredDocument[] = [];
    for await (const document of this.#options.from.documents.query({ table, partition })) {
      batch.push(document);
      if (batch.length < CREATED_AT_ONCE) continue;
      await this.#copyDocuments(batch);
      batch = [];
    }
    await this.#copyDocuments(batch);
  }

  async #copyDocuments(batch: readonly StoredDocument[]): Promise<void> {
    const { to, signal } = this.#options;
    const last = batch.at(-1);
    if (last === undefined) return;
    signal?.throwIfAborted();
    const keys = batch.map(({ table, partition, sort, body }) => ({ key: { table, partition, sort }, body }));
    const created = await to.documents.createMany(keys);
    const stored: (StoredDocument | undefined)[] = [];
    for (let at = 0; at < keys.length; at += COPIED_AT_ONCE) {
      const group = keys.slice(at, at + COPIED_AT_ONCE);
      stored.push(...(await Promise.all(group.map(({ key }) => to.documents.get(key)))));
    }
    for (const [at, { key, body }] of keys.entries()) {
      const found = stored[at];
      const equal = found !== undefined && hashOfBody(found.body) === hashOfBody(body);
      const isNew = created[at] === true;
      if (isNew && !equal) throw notRight(`the document ${documentName(key)}`, hashOfBody(body), null);
      if (isNew) this.#documents.copied += 1;
      else if (equal) this.#documents.same += 1;
      else this.#conflicts.push(`the document ${documentName(key)} has another body in the target`);
    }
    this.#tell(documentName(last));
    // Some adapters are synchronous: signs of life must get their turn.
    await setImmediate();
  }

  #tell(at: string): void {
    const sum = ({ copied, same }: MigrationCount): number => copied + same;
    const [objects, documents] = [sum(this.#objects), sum(this.#documents)];
    this.#options.progress?.({ cursor: this.#cursor, objects, documents, at });
  }
}

async function* hashed(
  stream: AsyncIterable<Uint8Array>,
  hash: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    // Said of the source, in the middle of a put to the target.
    const code = errorCodeOf(error) ?? 'INTERNAL';
    throw new PipelineError(code, `the source broke off: ${(error as Error).message}`, { cause: error });
  }
}

function mediaTypeOf(key: string): string {
  const ending = /\.([A-Za-z0-9]+)$/.exec(key)?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(MEDIA_TYPES, ending) ? MEDIA_TYPES[ending] : undefined) ?? 'application/octet-stream';
}

function changed(what: string): PipelineError {
  return new PipelineError('STORE_CONFLICT', `${what} vanished from the source while it was copied: stop its writers`);
}

function notRight(what: string, sent: string, found: string | null): PipelineError {
  const message = `${what} reads back from the target with the sha256 ${found ?? 'of something else'} instead of ${sent}`;
  return new PipelineError('STORE_CORRUPT', `${message}: check the target store`);
}
