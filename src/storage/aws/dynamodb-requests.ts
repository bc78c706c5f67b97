import type { PutCommandInput, QueryCommandInput, ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import { definedMembers } from '../../given.ts';
import { compareBytes } from '../shared/byte-order.ts';
import type { ItemLayout } from './dynamodb-items.ts';
import type { DocumentKey, DocumentQuery } from '../../ports/documents.ts';

/** DynamoDB refuses a longer value for a sort key, also as the end of a range. */
const LONGEST_SORT_KEY_BYTES = 1_024;

type Condition = Pick<
  PutCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** The two key attributes, as every request names an item. */
export function itemKey(layout: ItemLayout, key: DocumentKey): Record<string, string> {
  return { [layout.partitionKey]: layout.partitionOf(key), [layout.sortKey]: key.sort };
}

/**
 * The condition of a put. An item that another program wrote into a native table has no version; it
 * counts as 1. The sort key is named, because in a table without one the put would replace the item
 * of another document.
 */
export function conditionOn(
  layout: ItemLayout,
  key: DocumentKey,
  expectedVersion: number,
): Condition {
  if (expectedVersion === 0) {
    return {
      ConditionExpression: 'attribute_not_exists(#pk)',
      ExpressionAttributeNames: { '#pk': layout.partitionKey },
    };
  }
  const without = expectedVersion === 1 ? ' OR attribute_not_exists(#version)' : '';
  return {
    ConditionExpression: `#sk = :sk AND (#version = :expected${without})`,
    ExpressionAttributeNames: { '#sk': layout.sortKey, '#version': layout.version },
    ExpressionAttributeValues: { ':sk': key.sort, ':expected': expectedVersion },
  };
}

/**
 * DynamoDB has no range `[from, to)`, only one that includes both ends, so what it finds is looked
 * at again. An end of the range that is longer than any sort key can be would be refused: it is
 * left out here.
 */
export function pageRequest(layout: ItemLayout, query: DocumentQuery): QueryCommandInput {
  const [from, to] = [query.from, query.to].map((end) => (isUsableEnd(end) ? end : undefined));
  const lower = from === undefined ? '' : ' AND #sk >= :from';
  const upper = to === undefined ? '' : ' AND #sk < :to';
  const range = lower !== '' && upper !== '' ? ' AND #sk BETWEEN :from AND :to' : lower + upper;
  return {
    TableName: layout.tableName,
    ConsistentRead: true,
    ScanIndexForward: query.order !== 'descending',
    KeyConditionExpression: `#pk = :pk${range}`,
    ExpressionAttributeNames: {
      '#pk': layout.partitionKey,
      ...(range === '' ? {} : { '#sk': layout.sortKey }),
    },
    ExpressionAttributeValues: {
      ':pk': layout.partitionOf(query),
      ...definedMembers({ ':from': from, ':to': to }),
    },
  };
}

function isUsableEnd(end: string | undefined): boolean {
  return end !== undefined && end !== '' && Buffer.byteLength(end) <= LONGEST_SORT_KEY_BYTES;
}

/** Whether a sort key that was found lies in the range of the query. */
export function isWithin(query: DocumentQuery, sort: string): boolean {
  const fromOk = query.from === undefined || compareBytes(sort, query.from) >= 0;
  return fromOk && (query.to === undefined || compareBytes(sort, query.to) < 0);
}

/** The keys of all items whose partition begins with the prefix. */
export function partitionsRequest(layout: ItemLayout, prefix: string): ScanCommandInput {
  const names = {
    ProjectionExpression: '#pk',
    ExpressionAttributeNames: { '#pk': layout.partitionKey },
  };
  const scan = { TableName: layout.tableName, ConsistentRead: true, ...names };
  if (prefix === '') return scan;
  return {
    ...scan,
    FilterExpression: 'begins_with(#pk, :prefix)',
    ExpressionAttributeValues: { ':prefix': prefix },
  };
}
