import { MongoBulkWriteError } from 'mongodb';
import type { Collection, Db, Filter, FindCursor, UpdateFilter } from 'mongodb';
import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { documentName } from '../shared/document-key.ts';
import { isDuplicateKey } from './mongo-errors.ts';
import { ensureIndexes } from './mongo-indexes.ts';
import type { CollectionPlan } from './mongo-indexes.ts';
import { idOf, versionOfRow } from './mongo-rows.ts';
import type { Fields, Row, RowLayout } from './mongo-rows.ts';
import type { DocumentKey, DocumentQuery } from '../../ports/documents.ts';

/**
 * One logical table, by single requests of the driver. The driver's errors come out as they are.
 */
export class MongoTable {
  readonly layout: RowLayout;
  readonly #db: Db;
  readonly #plan: CollectionPlan;
  readonly #rows: Collection<Row>;
  #indexed: Promise<unknown> | undefined;

  constructor(db: Db, layout: RowLayout, plan: CollectionPlan) {
    this.layout = layout;
    this.#db = db;
    this.#plan = plan;
    this.#rows = db.collection<Row>(layout.collection);
  }

  /** Null when there is none, as the driver says it. */
  find(key: DocumentKey): Promise<Row | null> {
    return this.#rows.findOne(this.layout.identityOf(key));
  }

  /** At most `size` rows of the query in its order, from behind the sort key `after` on. */
  page(query: DocumentQuery, after: string | undefined, size: number): FindCursor<Row> {
    const direction = query.order === 'descending' ? -1 : 1;
    const found = this.#rows
      .find(filterOf(this.layout, query, after))
      .sort({ [this.layout.sort]: direction });
    return found.limit(size).batchSize(size);
  }

  /** In no order. */
  async partitions(): Promise<string[]> {
    const found = this.#rows.aggregate<{ _id: string }>([
      { $group: { _id: `$${this.layout.partition}` } },
    ]);
    return (await found.toArray()).map(({ _id }) => _id);
  }

  /** The version without the body, which may be large. */
  async versionOf(key: DocumentKey): Promise<number | undefined> {
    const options = { projection: { [this.layout.version]: 1 } };
    const found = await this.#rows.findOne(this.layout.identityOf(key), options);
    return found === null ? undefined : versionOfRow(this.layout, key, found);
  }

  /** Whether there was none. */
  async create(key: DocumentKey, stored: Fields): Promise<boolean> {
    try {
      await this.#rows.insertOne(this.#newRow(key, stored));
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Creates what is not there; the places of those that are. */
  async createMany(
    documents: readonly { key: DocumentKey; stored: Fields }[],
  ): Promise<ReadonlySet<number>> {
    const rows = documents.map(({ key, stored }) => this.#newRow(key, stored));
    try {
      await this.#rows.insertMany(rows, { ordered: false });
      return new Set();
    } catch (error) {
      const refused = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
      const other = refused.find(({ code }) => code !== 11_000);
      if (refused.length === 0 || other !== undefined || hasWriteConcernError(error))
        throw other ?? error;
      return new Set(refused.map(({ index }) => index));
    }
  }

  /** Whether the row had this version. */
  async replaceVersion(key: DocumentKey, stored: Fields, expected: number): Promise<boolean> {
    // No version at all is the first: see `versionOfRow`.
    const version = expected === 1 ? { $in: [1, null] } : expected;
    const filter = { ...this.layout.identityOf(key), [this.layout.version]: version };
    const { matchedCount } = await this.#rows.replaceOne(
      filter,
      this.#fieldsOf(key, stored, expected + 1),
    );
    return matchedCount === 1;
  }

  /**
   * Creates or replaces whatever is there; the new version, or `undefined` when another writer came
   * in between. `slim` leaves the body out of the answer, which not every server can.
   */
  async replace(key: DocumentKey, stored: Fields, slim: boolean): Promise<number | undefined> {
    const { bodyFields } = this.layout;
    if (bodyFields !== undefined) return this.#upsert(key, stored, bodyFields, slim);
    const found = await this.versionOf(key);
    if (found !== undefined)
      return (await this.replaceVersion(key, stored, found)) ? found + 1 : undefined;
    if (await this.create(key, stored)) return 1;
    if ((await this.versionOf(key)) === undefined) throw this.inTheWay(key);
    return undefined;
  }

  /** For a create that was refused although the document does not exist. */
  inTheWay(key: DocumentKey): PipelineError {
    const { collection, sort } = this.layout;
    const message = `another record of ${collection} has the ${sort} ${key.sort}, or ${documentName(key)} was deleted just now`;
    return new PipelineError('STORE_CONFLICT', message);
  }

  /** A row that is gone already is no error. */
  async delete(key: DocumentKey): Promise<void> {
    await this.#rows.deleteOne(this.layout.identityOf(key));
  }

  /** Makes the collection and its indexes, once; after a failure the next call tries again. */
  ensureIndexes(): Promise<unknown> {
    this.#indexed ??= ensureIndexes(this.#db, this.#plan).catch((error: unknown) => {
      this.#indexed = undefined;
      throw error;
    });
    return this.#indexed;
  }

  /**
   * In one request, possible where all fields are known in which the old body may be, which must
   * go.
   */
  async #upsert(
    key: DocumentKey,
    stored: Fields,
    bodyFields: readonly string[],
    slim: boolean,
  ): Promise<number | undefined> {
    const { partition, sort, version } = this.layout;
    const others = bodyFields
      .filter((field) => stored[field] === undefined)
      .map((field) => [field, '']);
    const change = {
      $set: { [partition]: key.partition, [sort]: key.sort, ...stored },
      $unset: Object.fromEntries(others) as Record<string, ''>,
      $inc: { [version]: 1 },
    } as UpdateFilter<Row>;
    const answer = slim ? { projection: { [version]: 1 } } : {};
    try {
      const options = { upsert: true, returnDocument: 'after', ...answer } as const;
      const found = await this.#rows.findOneAndUpdate(this.layout.identityOf(key), change, options);
      return versionOfRow(this.layout, key, found ?? {});
    } catch (error) {
      // Two who create the same row can collide; the loser finds it the next time.
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }

  #newRow(key: DocumentKey, stored: Fields): Row {
    return { _id: idOf(key), ...this.#fieldsOf(key, stored, 1) };
  }

  #fieldsOf(key: DocumentKey, stored: Fields, version: number): Fields {
    const { partition, sort, version: versionField } = this.layout;
    return { [partition]: key.partition, [sort]: key.sort, [versionField]: version, ...stored };
  }
}

function filterOf(layout: RowLayout, query: DocumentQuery, after: string | undefined): Filter<Row> {
  const descending = query.order === 'descending';
  const from =
    !descending && after !== undefined ? { $gt: after } : definedMembers({ $gte: query.from });
  const to = descending && after !== undefined ? { $lt: after } : definedMembers({ $lt: query.to });
  const range = { ...from, ...to };
  const partition = { [layout.partition]: query.partition };
  return Object.keys(range).length === 0 ? partition : { ...partition, [layout.sort]: range };
}

function hasWriteConcernError(error: unknown): boolean {
  const { result } = error as { result?: { getWriteConcernError?: () => unknown } };
  return result?.getWriteConcernError?.() !== undefined;
}
