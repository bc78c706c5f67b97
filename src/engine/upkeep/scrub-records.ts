import { ANNOUNCEMENT_TABLE } from '../../pipelines/announcement.ts';
import { CHANGE_TABLE } from '../../pipelines/change.ts';
import { DECISION_TABLE } from '../../pipelines/decision.ts';
import { DEGRADED_TABLE } from '../../pipelines/degraded.ts';
import { FAILURE_TABLE, LEDGER_TABLE } from '../../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import { ACTION_TABLE } from '../../pipelines/operator-action.ts';
import { RECEIPT_TABLE } from '../../pipelines/receipt.ts';
import { VERIFICATION_TABLE } from '../../pipelines/verification.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { JsonObject, JsonValue } from '../../ports/json.ts';
import { DEPOSIT_TABLE } from '../download/deposit-notes.ts';
import { FORGOTTEN_NAME } from '../download/leave-out.ts';
import type { Engine } from '../engine.ts';
import { ARRIVAL_TABLE } from '../sources/arrivals.ts';

/**
 * Names of persons in records. Values of personal columns are in none of them; but people name
 * files, units and reasons by persons, and a record keeps what they wrote.
 */

const TABLES = [
  ...[
    LEDGER_TABLE,
    MANIFEST_TABLE,
    RECEIPT_TABLE,
    FAILURE_TABLE,
    VERIFICATION_TABLE,
    DECISION_TABLE,
  ],
  ...[ACTION_TABLE, CHANGE_TABLE, ANNOUNCEMENT_TABLE, DEGRADED_TABLE, DEPOSIT_TABLE, ARRIVAL_TABLE],
];

/**
 * The words wherever they stand alone: an id may as well be a part of a longer number or of a hash.
 */
export function standingAlone(words: readonly string[]): RegExp {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?<![0-9A-Za-z])(?:${escaped.join('|')})(?![0-9A-Za-z])`, 'g');
}

/**
 * The records of a pipeline that hold one of the words; takes the words out of them unless it only
 * looks. Returns how many they are.
 */
export async function scrubRecords(
  { documents }: Pick<Engine, 'documents'>,
  pipeline: string,
  words: RegExp,
  { dryRun = false } = {},
): Promise<number> {
  let found = 0;
  for (const table of TABLES) {
    for (const partition of await partitionsOf(documents, table, pipeline)) {
      const changed: { key: DocumentKey; body: JsonObject }[] = [];
      for await (const { sort, body } of documents.query({ table, partition })) {
        const scrubbed = without(body, words) as JsonObject;
        const key = { table, partition, sort };
        if (scrubbed !== body || sort !== sort.replace(words, FORGOTTEN_NAME))
          changed.push({ key, body: scrubbed });
      }
      found += changed.length;
      for (const { key, body } of dryRun ? [] : changed) {
        const sort = key.sort.replace(words, FORGOTTEN_NAME);
        await documents.put({ ...key, sort }, body);
        if (sort !== key.sort) await documents.delete(key);
      }
    }
  }
  return found;
}

async function partitionsOf(
  documents: Engine['documents'],
  table: string,
  pipeline: string,
): Promise<string[]> {
  const own: string[] = [];
  for await (const partition of documents.partitions(table))
    if (partition === pipeline || partition.startsWith(`${pipeline}/`)) own.push(partition);
  return own;
}

/** The value itself where it has none of the words. */
function without(value: JsonValue, words: RegExp): JsonValue {
  if (typeof value === 'string') return value.replace(words, FORGOTTEN_NAME);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = (value as JsonValue[]).map((item) => without(item, words));
    return items.every((item, index) => item === (value as JsonValue[])[index])
      ? (value as JsonValue[])
      : items;
  }
  const members = Object.entries(value as JsonObject).map(([name, member]) => {
    return [name.replace(words, FORGOTTEN_NAME), without(member, words)] as const;
  });
  const isSame = members.every(([name, member]) => (value as JsonObject)[name] === member);
  return isSame ? value : Object.fromEntries(members);
}
