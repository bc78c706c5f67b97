import { setImmediate } from 'node:timers/promises';
import { copyObject, notRight } from './copy-object.ts';
import type { Installation } from './copy-object.ts';
import { hashOfBody } from '../shared/document-hash.ts';
import { documentName } from '../shared/document-key.ts';
import { hashOfObject } from '../outage/fallback-objects.ts';
import { createMemoryNotes } from './migration-notes.ts';
import type { CopyNote, MigrationNotes } from './migration-notes.ts';
import { artefactsNamedIn } from './named-artefacts.ts';
import type { NamedArtefact } from './named-artefacts.ts';
import type { DocumentKey, StoredDocument } from '../../ports/documents.ts';
import type { ObjectHead } from '../../ports/objects.ts';

/** Documents that are created with one call. */
const CREATED_AT_ONCE = 200;

/**
 * Objects that are copied, and documents that are read back, at the same time: a remote store
 * answers each after milliseconds.
 */
const COPIED_AT_ONCE = 16;

export type { Installation } from './copy-object.ts';

/** Counts of what was copied or found there already. */
export interface MigrationProgress {
  readonly objects: number;
  readonly documents: number;
  /** What was just done. */
  readonly at: string;
}

/** Objects go first, then the documents that name them. */
export interface MigrationOptions {
  readonly from: Installation;
  readonly to: Installation;
  /** The tables whose documents are copied. */
  readonly tables: readonly string[];
  /**
   * Those of them whose documents name artefacts, and whether all of these must be there: garbage
   * may have been collected.
   */
  readonly naming?: Readonly<Record<string, 'required' | 'collected'>>;
  /** Another key under which the bytes of an artefact may lie, such as the newest edition's. */
  readonly otherKeyOf?: (key: string) => string | undefined;
  /**
   * What an earlier try of the same migration copied; unless given, whatever the target has
   * otherwise is a conflict.
   */
  readonly notes?: MigrationNotes;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: MigrationProgress) => void;
}

interface MigrationCount {
  /** Written now, and read back with the same hash. */
  readonly copied: number;
  /** There already, with the same hash. */
  readonly same: number;
  /** Copied by an earlier try and changed in the source since: written again, and read back. */
  readonly replaced: number;
  /** Copied by an earlier try and removed from the source since. */
  readonly removed: number;
}

/** A migration is whole when nothing conflicts and nothing is missing. */
export interface MigrationReport {
  readonly objects: MigrationCount;
  readonly documents: MigrationCount;
  /** What the target has otherwise; it was left as it is there. */
  readonly conflicts: readonly string[];
  /** Artefacts that documents of the target name and neither side has. */
  readonly missing: readonly string[];
}

/**
 * Copies an installation, objects first, so that no document ever names bytes that are not there.
 * Each copy is read back from the target and compared by its hash. It may be ended anywhere and
 * begun again, and the source may have been worked on in between:
 *
 * 1. Everything is looked at each time; of what the notes say was copied, only the etags are
 *    compared.
 * 2. What an earlier try copied and the source changed or removed since is replaced or removed,
 *    when the target still has it as it was copied. Anything else that the target has under the
 *    same name with other bytes is listed and not touched.
 * 3. At the end, every artefact that the target's own documents name is there, or listed.
 *
 * The source must not be written while it is copied. Versions of documents begin at 1 again, as
 * nobody holds one across a migration; media types are those that the endings of the keys say.
 *
 * Throws what the stores throw, and `STORE_CORRUPT` when a copy reads back with another hash.
 */
export async function migrate(options: MigrationOptions): Promise<MigrationReport> {
  return new Migration(options).run();
}

type Counts = { -readonly [name in keyof MigrationCount]: number };

class Migration {
  readonly #options: MigrationOptions;
  readonly #notes: MigrationNotes;
  readonly #objects: Counts = { copied: 0, same: 0, replaced: 0, removed: 0 };
  readonly #documents: Counts = { copied: 0, same: 0, replaced: 0, removed: 0 };
  readonly #conflicts: string[] = [];
  /** What the source has, by the names of the notes. */
  readonly #seenObjects = new Set<string>();
  readonly #seenDocuments = new Set<string>();

  constructor(options: MigrationOptions) {
    this.#options = options;
    this.#notes = options.notes ?? createMemoryNotes();
  }

  async run(): Promise<MigrationReport> {
    const { from, tables } = this.#options;
    let group: ObjectHead[] = [];
    for await (const head of from.objects.list('')) {
      group.push(head);
      if (group.length < COPIED_AT_ONCE) continue;
      await this.#copyObjects(group);
      group = [];
    }
    await this.#copyObjects(group);
    for (const table of tables) {
      for await (const partition of from.documents.partitions(table))
        await this.#copyPartition(table, partition);
    }
    await this.#removeGone();
    const missing = await this.#proveArtefacts();
    return {
      objects: this.#objects,
      documents: this.#documents,
      conflicts: this.#conflicts,
      missing,
    };
  }

  async #copyObjects(group: readonly ObjectHead[]): Promise<void> {
    const last = group.at(-1);
    if (last === undefined) return;
    this.#options.signal?.throwIfAborted();
    for (const { key } of group) this.#seenObjects.add(key);
    const ends = await Promise.allSettled(group.map((head) => this.#copyObject(head)));
    await this.#notes.save(ends.flatMap((end) => (end.status === 'fulfilled' ? end.value : [])));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    this.#tell(last.key);
  }

  /** Returns what is to be noted of it. */
  async #copyObject(head: ObjectHead): Promise<CopyNote[]> {
    const { from, to } = this.#options;
    const { key } = head;
    const there = await to.objects.head(key);
    const note = this.#notes.find(key);
    if (there === undefined) {
      await this.#notes.save([{ name: key, sha256: null }]);
      const copied = await copyObject(this.#options, head, 'create');
      this.#objects.copied += 1;
      return [copied];
    }
    if (note?.from === head.etag && note.to === there.etag && there.bytes === head.bytes) {
      this.#objects.same += 1;
      return [];
    }
    const [ours, theirs] = await Promise.all([
      hashOfObject(from.objects, key),
      hashOfObject(to.objects, key),
    ]);
    if (ours !== null && ours === theirs) {
      this.#objects.same += 1;
      return [{ name: key, sha256: theirs, from: head.etag, to: there.etag }];
    }
    if (note !== undefined && (note.sha256 === null || note.sha256 === theirs)) {
      const replaced = await copyObject(this.#options, head, 'replace');
      this.#objects.replaced += 1;
      return [replaced];
    }
    this.#conflicts.push(`the object ${key} has other bytes in the target`);
    return [];
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
    const documents = batch.map(({ table, partition, sort, body }) => ({
      key: { table, partition, sort },
      body,
    }));
    for (const { key } of documents) this.#seenDocuments.add(documentName(key));
    const earlier = documents.map(({ key }) => this.#notes.find(key));
    // Before they are written: of what the target has otherwise, a note of another body says
    // nothing.
    const fresh = documents.flatMap(({ key, body }, at) =>
      earlier[at] === undefined ? [{ name: key, sha256: hashOfBody(body) }] : [],
    );
    await this.#notes.save(fresh);
    const created = await to.documents.createMany(documents);
    for (let at = 0; at < documents.length; at += COPIED_AT_ONCE) {
      const some = documents.slice(at, at + COPIED_AT_ONCE);
      await Promise.all(
        some.map((document, index) =>
          this.#proveDocument(document, created[at + index] === true, earlier[at + index]),
        ),
      );
    }
    this.#tell(documentName(last));
    // Some adapters are synchronous: signs of life must get their turn.
    await setImmediate();
  }

  async #proveDocument(
    { key, body }: { readonly key: DocumentKey; readonly body: StoredDocument['body'] },
    isNew: boolean,
    note: CopyNote | undefined,
  ): Promise<void> {
    const { documents } = this.#options.to;
    const wanted = hashOfBody(body);
    const found = await documents.get(key);
    const is = found === undefined ? null : hashOfBody(found.body);
    if (is === wanted) {
      this.#documents[isNew ? 'copied' : 'same'] += 1;
      if (note !== undefined && note.sha256 !== wanted)
        await this.#notes.save([{ name: key, sha256: wanted }]);
      return;
    }
    if (isNew) throw notRight(`the document ${documentName(key)}`, wanted, is);
    if (found === undefined || note?.sha256 !== is) {
      this.#conflicts.push(`the document ${documentName(key)} has another body in the target`);
      return;
    }
    await documents.put(key, body, { expectedVersion: found.version });
    const now = await documents.get(key);
    if (now === undefined || hashOfBody(now.body) !== wanted)
      throw notRight(documentName(key), wanted, null);
    await this.#notes.save([{ name: key, sha256: wanted }]);
    this.#documents.replaced += 1;
  }

  /** Documents before objects, so that none names bytes that are gone. */
  async #removeGone(): Promise<void> {
    const notes = [...this.#notes.all()];
    for (const { name, sha256 } of notes) {
      if (typeof name !== 'string' && !this.#seenDocuments.has(documentName(name)))
        await this.#removeDocument(name, sha256);
    }
    for (const note of notes) {
      if (typeof note.name === 'string' && !this.#seenObjects.has(note.name))
        await this.#removeObject(note.name, note);
    }
  }

  async #removeDocument(key: DocumentKey, copied: string | null): Promise<void> {
    const { documents } = this.#options.to;
    const found = await documents.get(key);
    if (found !== undefined && hashOfBody(found.body) !== copied) {
      this.#conflicts.push(
        `the document ${documentName(key)} has another body in the target and is gone from the source`,
      );
      return;
    }
    if (found !== undefined) {
      await documents.delete(key);
      this.#documents.removed += 1;
    }
    await this.#notes.forget(key);
  }

  async #removeObject(key: string, { sha256 }: CopyNote): Promise<void> {
    const { objects } = this.#options.to;
    const found = await hashOfObject(objects, key);
    if (found !== null && sha256 !== null && found !== sha256) {
      this.#conflicts.push(
        `the object ${key} has other bytes in the target and is gone from the source`,
      );
      return;
    }
    if (found !== null) {
      await objects.delete(key);
      this.#objects.removed += 1;
    }
    await this.#notes.forget(key);
  }

  /**
   * Looks for every artefact that the target's documents name; copies those that only the source
   * has, and returns those that nobody has.
   */
  async #proveArtefacts(): Promise<string[]> {
    const { to, naming = {} } = this.#options;
    const missing = new Set<string>();
    const proven = new Set<string>();
    for (const [table, kind] of Object.entries(naming)) {
      for await (const partition of to.documents.partitions(table)) {
        for await (const { body } of to.documents.query({ table, partition })) {
          for (const artefact of artefactsNamedIn(body)) {
            if (proven.has(artefact.key)) continue;
            proven.add(artefact.key);
            if (!(await this.#hasArtefact(artefact)) && kind === 'required')
              missing.add(artefact.key);
          }
        }
        this.#options.signal?.throwIfAborted();
        this.#tell(`${table} ${partition}`);
      }
    }
    return [...missing].sort();
  }

  async #hasArtefact({ key, sha256, bytes }: NamedArtefact): Promise<boolean> {
    const { from, to, otherKeyOf } = this.#options;
    if (this.#seenObjects.has(key)) return true;
    const there = await to.objects.head(key);
    if (there?.bytes === bytes) return true;
    const head = there === undefined ? await from.objects.head(key) : undefined;
    if (head !== undefined) await this.#copyObjects([head]);
    const other = otherKeyOf?.(key);
    return (
      head !== undefined || (other !== undefined && this.#notes.find(other)?.sha256 === sha256)
    );
  }

  #tell(at: string): void {
    const sum = ({ copied, same, replaced }: MigrationCount): number => copied + same + replaced;
    this.#options.progress?.({ objects: sum(this.#objects), documents: sum(this.#documents), at });
  }
}
