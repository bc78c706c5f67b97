import { randomBytes } from 'node:crypto';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import type {
  QueryCommandInput,
  QueryCommandOutput,
  ScanCommandInput,
  ScanCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { PipelineError } from '../../errors.ts';
import type { AwsClientOptions } from './aws-client.ts';
import { awsClientConfig } from './aws-client.ts';
import { compareBytes } from '../shared/byte-order.ts';
import { encodeDocumentBody } from '../shared/document-body.ts';
import {
  checkDocumentKey,
  checkDocumentQuery,
  checkExpectedVersion,
  checkTable,
  documentConflict,
  documentName,
} from '../shared/document-key.ts';
import { createDocumentOverflow } from '../shared/document-overflow.ts';
import { dynamoDbError, otherKeysError } from './dynamodb-errors.ts';
import { nativeLayout, operationalLayout, operationsTableName } from './dynamodb-items.ts';
import type { Item, ItemLayout } from './dynamodb-items.ts';
import {
  conditionOn,
  isWithin,
  itemKey,
  pageRequest,
  partitionsRequest,
} from './dynamodb-requests.ts';
import type { NativeTables } from '../shared/native-tables.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  DocumentVersion,
  StoredDocument,
} from '../../ports/documents.ts';
import type { ObjectStore } from '../../ports/objects.ts';

/** A document, or what it is part of, for messages. */
type Named = Pick<DocumentKey, 'table'> & Partial<DocumentKey>;

/** Puts of one `createMany` at the same time. */
const CREATES_AT_ONCE = 24;

/** Tries of a put without an expected version; each loss means that another writer advanced. */
const MAX_REPLACE_TRIES = 100;

/**
 * Items asked for at once by a query with a limit; without one, DynamoDB ends each page at 1 MiB.
 */
const LARGEST_PAGE = 1_000;

/** How logical tables lie in DynamoDB. */
export interface DynamoTables {
  /** The operational table is `<tablePrefix>operations`. */
  readonly tablePrefix: string;
  /** Logical tables that are DynamoDB tables of their own; all others share the operational one. */
  readonly nativeTables?: NativeTables;
}

/** The tables must be there; `storage init` makes them. */
export interface DynamoDocumentOptions extends AwsClientOptions, DynamoTables {
  /** Takes the bodies that no item can hold. */
  readonly overflow: ObjectStore;
}

/**
 * Documents in DynamoDB, read with strong consistency. Every put is one conditional PutItem: "does
 * not exist" or "has exactly this version", decided by DynamoDB atomically; a put without an
 * expected version learns from its refusal which version to replace. The SDK sends a request again
 * when its answer was lost; the put recognises its own first try by the writer that the refusal
 * shows.
 *
 * BatchWriteItem takes no conditions and TransactWriteItems costs twice, so `createMany` sends
 * single puts, 24 at a time.
 */
export function openDynamoDocumentStore(options: DynamoDocumentOptions): DocumentStore {
  return new DynamoStore(options);
}

class DynamoStore implements DocumentStore {
  readonly kind = 'dynamodb';
  readonly #client: DynamoDBDocumentClient;
  readonly #operational: ItemLayout;
  readonly #native: ReadonlyMap<string, ItemLayout>;

  constructor(options: DynamoDocumentOptions) {
    const overflow = createDocumentOverflow(options.overflow);
    this.#client = DynamoDBDocumentClient.from(new DynamoDBClient(awsClientConfig(options)));
    this.#operational = operationalLayout(operationsTableName(options.tablePrefix), overflow);
    this.#native = new Map(
      Object.entries(options.nativeTables ?? {}).map(([table, native]) => [
        table,
        nativeLayout(native, overflow),
      ]),
    );
  }

  async get<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    checkDocumentKey(key);
    const layout = this.#layoutOf(key.table);
    const get = new GetCommand({
      TableName: layout.tableName,
      Key: itemKey(layout, key),
      ConsistentRead: true,
    });
    const { Item } = await this.#attempt('read', key, () => this.#client.send(get));
    return Item === undefined ? undefined : toDocument<T>(layout, key, Item);
  }

  async put(
    key: DocumentKey,
    body: object,
    options: { readonly expectedVersion?: number } = {},
  ): Promise<DocumentVersion> {
    checkDocumentKey(key);
    const { expectedVersion } = options;
    if (expectedVersion !== undefined) checkExpectedVersion(expectedVersion);
    const layout = this.#layoutOf(key.table);
    const text = encodeDocumentBody(key, body);
    const encoded = await layout.encode(key, text);
    const version =
      expectedVersion === undefined
        ? await this.#replace(layout, key, encoded)
        : await this.#win(layout, key, encoded, expectedVersion);
    return { version };
  }

  async *query<T extends object>(query: DocumentQuery): AsyncIterable<StoredDocument<T>> {
    checkDocumentQuery(query);
    const layout = this.#layoutOf(query.table);
    const { table, partition, from = '', to } = query;
    if (to !== undefined && compareBytes(from, to) >= 0) return;
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    let page: QueryCommandInput | undefined = pageRequest(layout, query);
    while (page !== undefined && left > 0) {
      // One more than is left, because the end of the range may be among them, which does not
      // count.
      const request: QueryCommand = new QueryCommand(
        left < LARGEST_PAGE ? { ...page, Limit: left + 1 } : page,
      );
      const found = await this.#attempt<QueryCommandOutput>('query', query, () =>
        this.#client.send(request),
      );
      for (const item of found.Items ?? []) {
        const key = { table, partition, sort: item[layout.sortKey] as string };
        if (left === 0 || !isWithin(query, key.sort)) continue;
        left -= 1;
        yield await toDocument<T>(layout, key, item);
      }
      const { LastEvaluatedKey } = found;
      page =
        LastEvaluatedKey === undefined
          ? undefined
          : { ...page, ExclusiveStartKey: LastEvaluatedKey };
    }
  }

  /** Reads the whole DynamoDB table, which costs its size in read units. */
  async *partitions(table: string): AsyncIterable<string> {
    checkTable(table);
    const layout = this.#layoutOf(table);
    const seen = new Set<string>();
    const prefix = layout.partitionOf({ table, partition: '' });
    let page: ScanCommandInput | undefined = partitionsRequest(layout, prefix);
    while (page !== undefined) {
      const request: ScanCommand = new ScanCommand(page);
      const found = await this.#attempt<ScanCommandOutput>(
        'list the partitions of',
        { table },
        () => this.#client.send(request),
      );
      for (const item of found.Items ?? []) {
        const partition = (item[layout.partitionKey] as string).slice(prefix.length);
        if (seen.has(partition)) continue;
        seen.add(partition);
        yield partition;
      }
      const { LastEvaluatedKey } = found;
      page =
        LastEvaluatedKey === undefined
          ? undefined
          : { ...page, ExclusiveStartKey: LastEvaluatedKey };
    }
  }

  async delete(key: DocumentKey): Promise<void> {
    checkDocumentKey(key);
    const layout = this.#layoutOf(key.table);
    const remove = new DeleteCommand({ TableName: layout.tableName, Key: itemKey(layout, key) });
    await this.#attempt('delete', key, () => this.#client.send(remove));
  }

  async createMany(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<boolean[]> {
    for (const { key } of documents) checkDocumentKey(key);
    const rows = documents.map(({ key, body }) => ({ key, text: encodeDocumentBody(key, body) }));
    const created = rows.map(() => false);
    // Shared by all lanes, so that each row is taken by one.
    const rest = rows.entries();
    let ended = false;
    const lane = async (): Promise<void> => {
      for (const [at, { key, text }] of rest) {
        if (ended) return;
        const layout = this.#layoutOf(key.table);
        created[at] = (await this.#write(layout, key, await layout.encode(key, text), 0)) === 'won';
      }
    };
    try {
      await Promise.all(Array.from({ length: CREATES_AT_ONCE }, lane));
    } finally {
      ended = true;
    }
    return created;
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  #layoutOf(table: string): ItemLayout {
    return this.#native.get(table) ?? this.#operational;
  }

  /** Creates, or replaces exactly the expected version; the new version, or `STORE_CONFLICT`. */
  async #win(
    layout: ItemLayout,
    key: DocumentKey,
    encoded: Item,
    expectedVersion: number,
  ): Promise<number> {
    const found = await this.#write(layout, key, encoded, expectedVersion);
    if (found === 'won') return expectedVersion + 1;
    throw documentConflict(key, expectedVersion, found);
  }

  /** Creates or replaces whatever is there; the new version. */
  async #replace(layout: ItemLayout, key: DocumentKey, encoded: Item): Promise<number> {
    let expectedVersion = 0;
    for (let tries = 0; tries < MAX_REPLACE_TRIES; tries += 1) {
      const found = await this.#write(layout, key, encoded, expectedVersion);
      if (found === 'won') return expectedVersion + 1;
      expectedVersion = found ?? 0;
    }
    const message = `cannot write ${documentName(key)}: others replace it without a pause; try again`;
    throw new PipelineError('STORE_UNAVAILABLE', message, { retryAfterMs: 1_000 });
  }

  /** `won`, or the version that was found instead of the expected one. */
  async #write(
    layout: ItemLayout,
    key: DocumentKey,
    encoded: Item,
    expectedVersion: number,
  ): Promise<'won' | number | undefined> {
    const writer = randomBytes(12).toString('base64url');
    const put = new PutCommand({
      TableName: layout.tableName,
      Item: {
        ...itemKey(layout, key),
        ...encoded,
        [layout.version]: expectedVersion + 1,
        [layout.writer]: writer,
      },
      ...conditionOn(layout, key, expectedVersion),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#client.send(put);
      return 'won';
    } catch (error) {
      const place = placeOf(layout, key);
      if (!(error instanceof ConditionalCheckFailedException))
        throw dynamoDbError(error, 'write', place);
      const { Item: found } = error;
      if (found === undefined) return undefined;
      if (found[layout.sortKey]?.S !== key.sort) throw otherKeysError('write', place);
      if (found[layout.writer]?.S === writer) return 'won';
      return Number(found[layout.version]?.N ?? 1);
    }
  }

  async #attempt<R>(doing: string, key: Named, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw dynamoDbError(error, doing, placeOf(this.#layoutOf(key.table), key));
    }
  }
}

function placeOf(layout: ItemLayout, { table, partition, sort }: Named): string {
  const names = [table, partition, sort].filter((name) => name !== undefined);
  return `${names.join(':')} in the DynamoDB table ${layout.tableName}`;
}

async function toDocument<T extends object>(
  layout: ItemLayout,
  key: DocumentKey,
  item: Item,
): Promise<StoredDocument<T>> {
  const { table, partition, sort } = key;
  const version = Number(item[layout.version] ?? 1);
  return { table, partition, sort, version, body: (await layout.decode(key, item)) as T };
}
