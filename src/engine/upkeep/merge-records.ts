import { ANNOUNCEMENT_TABLE } from '../../pipelines/announcement.ts';
import { PLAN_TABLE } from '../../pipelines/backfill.ts';
import { CHANGE_TABLE } from '../../pipelines/change.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import { DECISION_TABLE } from '../../pipelines/decision.ts';
import { DEGRADED_TABLE } from '../../pipelines/degraded.ts';
import { DESTROYED_TABLE, FORGOTTEN_TABLE } from '../../pipelines/forgetting.ts';
import { GARBAGE_TABLE } from '../../pipelines/garbage.ts';
import { FAILURE_TABLE } from '../../pipelines/ledger.ts';
import { MANIFEST_TABLE, newerVersions, previousVersionKey } from '../../pipelines/manifest.ts';
import { ACTION_TABLE } from '../../pipelines/operator-action.ts';
import {
  DELIVERY_ORDER_TABLE,
  RECEIPT_TABLE,
  countedAlone,
  mergeReceipts,
} from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { problemOf } from '../../pipelines/stored-records.ts';
import { VERIFICATION_TABLE } from '../../pipelines/verification.ts';
import type { DocumentKey, DocumentQuery } from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';
import { editionPlace, newestName } from '../content-store.ts';
import { besideName } from '../download/raw-names.ts';
import { counterKey } from '../records/delivery-order.ts';
import { REPLACING_TABLE } from '../records/replacing-names.ts';
import { DEPOSIT_TABLE } from '../download/deposit-notes.ts';
import { TOLD_FRESHNESS_TABLE } from '../download/publish-freshness.ts';
import { ARRIVAL_TABLE } from '../sources/arrivals.ts';
import { REVISION_TABLE, WATCH_TABLE } from '../watch/watch-publisher.ts';

/**
 * What becomes of records and names that two hosts wrote differently because one of them could not
 * see the other. Invariants, cited by `test/unit/merge-records.test.ts`:
 * 1. A manifest of the primary store stays: the host's own was based on another version. Its day is
 *    planned again, and what was delivered last decides; so do published names and records, which
 *    follow the newest manifest.
 * 2. Of records that say when something was last seen, the later one counts.
 * 3. Raw bytes are never lost: they are kept beside those that have the name.
 * 4. What a person must see has no rule: a step that gave other outputs from the same inputs.
 *    Content names need none: the replay itself knows their bytes.
 */
export interface MergeRules {
  document(
    key: DocumentKey,
    ours: JsonObject | undefined,
    theirs: JsonObject | undefined,
  ): DocumentMerge | undefined;
  object(key: string, ours: string | null): ObjectMerge | undefined;
  basisOf(key: DocumentKey): DocumentKey | undefined;
  keeps(key: string): boolean;
  numbering(key: DocumentKey): Numbering | undefined;
  newerThan(key: DocumentKey): DocumentQuery | undefined;
}

type DocumentMerge = { readonly why: string } & (
  | { readonly keep: 'theirs' | 'ours' }
  | { readonly body: JsonObject }
);

interface Numbering {
  readonly counter: DocumentKey;
  unsure(body: JsonObject, host: string, counted: JsonObject | undefined): JsonObject;
  together(ours: JsonObject, theirs: JsonObject): JsonObject;
}

interface ObjectMerge {
  readonly beside?: string;
  readonly why: string;
}

type Rule = (
  ours: JsonObject | undefined,
  theirs: JsonObject | undefined,
) => DocumentMerge | undefined;

/** The instants of last-writer records. */
const LAST_SEEN: Readonly<Record<string, string>> = {
  [WATCH_TABLE]: 'checkedAt',
  [DEPOSIT_TABLE]: 'seenAt',
  [FAILURE_TABLE]: 'failedAt',
  [ARRIVAL_TABLE]: 'at',
  [GARBAGE_TABLE]: 'until',
  [TOLD_FRESHNESS_TABLE]: 'checkedAt',
};

/**
 * Tables whose records are created and not replaced, or are as good from either host: the one that
 * is there stays.
 */
const EITHER: readonly string[] = [
  CHANGE_TABLE,
  DEGRADED_TABLE,
  REVISION_TABLE,
  DECISION_TABLE,
  ACTION_TABLE,
  PLAN_TABLE,
  VERIFICATION_TABLE,
  FORGOTTEN_TABLE,
  DESTROYED_TABLE,
];

/** The rules of an installation with these pipelines. */
export function mergeRules(datasets: Readonly<Record<string, Dataset>>): MergeRules {
  const rules = new Map<string, Rule>(Object.entries(RULES));
  for (const [table, member] of Object.entries(LAST_SEEN)) rules.set(table, laterOf(member));
  for (const table of [...EITHER, ...recordTables(datasets)])
    rules.set(table, theirs('what is there stays'));
  return {
    document: ({ table }, ours, other) => rules.get(table)?.(ours, other),
    object: (key, sha256) => mergeObject(datasets, key, sha256),
    basisOf: (key) => (key.table === MANIFEST_TABLE ? previousVersionKey(key) : undefined),
    keeps: (key) => newestName(key) !== undefined,
    numbering: numberingOf,
    newerThan: (key) => (key.table === MANIFEST_TABLE ? newerVersions(key) : undefined),
  };
}

const RULES: Readonly<Record<string, Rule>> = {
  [MANIFEST_TABLE]: theirs('another host committed this version first; the day is planned again'),
  // Told once too often does no harm, told never does.
  [ANNOUNCEMENT_TABLE]: (ours, other) =>
    other === undefined
      ? { keep: 'ours', why: 'it is announced once more' }
      : { keep: 'theirs', why: 'it stays announced' },
  [RECEIPT_TABLE]: bothReceipts,
  [DELIVERY_ORDER_TABLE]: higherNumber,
  [REPLACING_TABLE]: allMarks,
};

function theirs(why: string): Rule {
  return () => ({ keep: 'theirs', why });
}

/**
 * The record with the later instant; a deletion gives way to a record, which somebody wrote since.
 */
function laterOf(member: string): Rule {
  return (ours, other) => {
    if (ours === undefined || other === undefined) {
      return {
        keep: 'theirs',
        why: 'it was changed on the primary store after this host had last seen it',
      };
    }
    const isOurs = instantOf(ours, member) > instantOf(other, member);
    return { keep: isOurs ? 'ours' : 'theirs', why: `the later ${member} counts` };
  };
}

function instantOf(record: JsonObject, member: string): string {
  const instant = record[member];
  return typeof instant === 'string' ? instant : '';
}

/**
 * Two hosts asked for the same window and got the same file: what each of them cut from it belongs
 * together.
 */
function bothReceipts(
  ours: JsonObject | undefined,
  other: JsonObject | undefined,
): DocumentMerge | undefined {
  if (ours === undefined || other === undefined) return undefined;
  const body = mergeReceipts(ours as unknown as Receipt, other as unknown as Receipt);
  return { body: body as unknown as JsonObject, why: 'the days of both answers belong together' };
}

/** Receipts are numbered by a counter of their part. */
function numberingOf(key: DocumentKey): Numbering | undefined {
  if (key.table !== RECEIPT_TABLE) return undefined;
  const [pipeline = '', part = ''] = key.partition.split('/');
  const isReadable = (body: JsonObject) => problemOf(key, body) === undefined;
  return {
    counter: counterKey(pipeline, part),
    unsure: (body, host, counted) =>
      isReadable(body)
        ? (countedAlone(receiptIn(body), lastOf(counted), host) as unknown as JsonObject)
        : body,
    together: (ours, other) =>
      isReadable(ours) && isReadable(other)
        ? (mergeReceipts(receiptIn(ours), receiptIn(other)) as unknown as JsonObject)
        : ours,
  };
}

function receiptIn(body: JsonObject): Receipt {
  return body as unknown as Receipt;
}

/** Null: not known yet. */
function lastOf(counted: JsonObject | undefined): number | null {
  return counted === undefined ? null : Number(counted['last'] ?? 0);
}

/** The next answer must come behind all that either host has counted. */
function higherNumber(ours: JsonObject | undefined, other: JsonObject | undefined): DocumentMerge {
  const isOurs = Number(ours?.['last'] ?? 0) > Number(other?.['last'] ?? 0);
  return { keep: isOurs ? 'ours' : 'theirs', why: 'the higher number counts' };
}

/**
 * Replacements of a name that either host knows to be under way: one too many costs a copy, one too
 * few an edition.
 */
function allMarks(ours: JsonObject | undefined, other: JsonObject | undefined): DocumentMerge {
  const marksOf = (record: JsonObject | undefined) =>
    (record?.['marks'] ?? []) as readonly string[];
  return {
    body: { marks: [...new Set([...marksOf(other), ...marksOf(ours)])] },
    why: 'the replacements of both hosts count',
  };
}

/** The tables that other programs read: their records follow the newest manifest. */
function recordTables(datasets: Readonly<Record<string, Dataset>>): string[] {
  const outputs = Object.values(datasets).flatMap(({ definition }) =>
    [...definition.steps, ...definition.rollups].flatMap((step) => Object.values(step.outputs)),
  );
  return outputs.flatMap(({ recordAs }) => (recordAs === undefined ? [] : [recordAs.table]));
}

const CONTENT_NAME = /(^|\/)[0-9a-f]{64}(\.[A-Za-z0-9.]+)?$/;

function mergeObject(
  datasets: Readonly<Record<string, Dataset>>,
  key: string,
  sha256: string | null,
): ObjectMerge | undefined {
  if (CONTENT_NAME.test(key)) return undefined;
  const raw = Object.values(datasets).find(({ rawNames }) =>
    rawNames?.roots.some((root) => key.startsWith(root)),
  );
  if (raw === undefined || sha256 === null)
    return { why: 'a published name follows the newest version of its day' };
  const isPiece = raw.rawNames?.dayOf(key) !== undefined;
  const { folder, extension } = editionPlace(key, '');
  const beside = isPiece ? besideName(key, sha256) : `${folder}/${sha256}.${extension}`;
  return { beside, why: `both files are kept, this host’s as ${beside}` };
}
