import type { Db, IndexDescriptionInfo } from 'mongodb';
import { PipelineError } from '../../errors.ts';
import { isDuplicateKey, isNotImplemented } from './mongo-errors.ts';
import type { NativeTable } from '../shared/native-tables.ts';

/** An index of MongoDB, in the words of `createIndex`. */
export interface IndexPlan {
  readonly key: Readonly<Record<string, 1>>;
  readonly name: string;
  readonly unique?: true;
  readonly expireAfterSeconds?: 0;
}

/** A collection and the indexes that its queries need. */
export interface CollectionPlan {
  readonly name: string;
  readonly indexes: readonly IndexPlan[];
}

/** `left out`: the server knows no such indexes; `why` says so. */
export interface IndexOutcome {
  readonly name: string;
  readonly outcome: 'created' | 'already there' | 'left out';
  readonly why?: string;
}

/**
 * What an operational table needs: one partition in the order of its sort keys. That a document is
 * there once is held by its `_id`.
 */
export function operationalCollection(table: string): CollectionPlan {
  return { name: table, indexes: [{ key: { partition: 1, sort: 1 }, name: 'partition_sort' }] };
}

/**
 * What a native table needs, whose rows may have been inserted by other programs under any `_id`.
 */
export function nativeCollection(table: NativeTable): CollectionPlan {
  const { partitionKey, sortKey, timeToLive, uniqueSortKey } = table;
  const keys = {
    key: { [partitionKey]: 1, [sortKey]: 1 },
    name: `${partitionKey}_${sortKey}`,
    unique: true,
  } as const;
  const sort: IndexPlan = { key: { [sortKey]: 1 }, name: sortKey };
  const indexes: IndexPlan[] = [keys, uniqueSortKey === true ? { ...sort, unique: true } : sort];
  if (timeToLive !== undefined) {
    indexes.push({ key: { [timeToLive.field]: 1 }, name: timeToLive.field, expireAfterSeconds: 0 });
  }
  return { name: table.name, indexes };
}

/**
 * Makes the indexes that are not there, and with them the collection. What is there is only looked
 * at, so that a login that may not make indexes can use a collection that has them. `STORE_DENIED`
 * when an index of another form or doubled rows are in the way.
 */
export async function ensureIndexes(db: Db, plan: CollectionPlan): Promise<IndexOutcome[]> {
  const known = await indexesOf(db, plan.name);
  const outcomes: IndexOutcome[] = [];
  for (const index of plan.indexes) outcomes.push(await ensureIndex(db, plan.name, index, known));
  return outcomes;
}

async function ensureIndex(
  db: Db,
  collection: string,
  index: IndexPlan,
  known: readonly IndexDescriptionInfo[],
): Promise<IndexOutcome> {
  const { key, name, ...options } = index;
  const same = known.find((found) => JSON.stringify(found.key) === JSON.stringify(key));
  if (same !== undefined && isAsGood(same, index)) return { name, outcome: 'already there' };
  const inTheWay = same ?? known.find((found) => found.name === name);
  if (inTheWay !== undefined) {
    const message = `the index ${inTheWay.name} of the collection ${collection} is of another form than ${JSON.stringify(index)}`;
    throw new PipelineError('STORE_DENIED', `${message}: remove it`);
  }
  try {
    await db.collection(collection).createIndex(key, { name, ...options }, {});
    return { name, outcome: 'created' };
  } catch (error) {
    if (isDuplicateKey(error)) {
      const message = `the collection ${collection} has several records of one ${Object.keys(key).join(' and ')}`;
      throw new PipelineError('STORE_DENIED', `${message}: remove all but one, then try again`, {
        cause: error,
      });
    }
    if (!isNotImplemented(error)) throw error;
    return { name, outcome: 'left out', why: 'the server has no such indexes' };
  }
}

/** What another program made may be stricter. */
function isAsGood(found: IndexDescriptionInfo, index: IndexPlan): boolean {
  const { unique, expireAfterSeconds } = found as { unique?: boolean; expireAfterSeconds?: number };
  return (
    (index.unique !== true || unique === true) && expireAfterSeconds === index.expireAfterSeconds
  );
}

/** None of a collection that does not exist; asking for those of it is an error on some servers. */
async function indexesOf(db: Db, collection: string): Promise<IndexDescriptionInfo[]> {
  const known = await db.listCollections({ name: collection }, { nameOnly: true }).toArray();
  // Not every server keeps to the filter.
  if (!known.some(({ name }) => name === collection)) return [];
  return db.collection(collection).indexes();
}
