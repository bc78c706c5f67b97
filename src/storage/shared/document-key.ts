import { PipelineError } from '../../errors.ts';
import { isWellFormed } from './byte-order.ts';
import type { DocumentKey, DocumentQuery } from '../../ports/documents.ts';

/** The most bytes of a partition or sort key. */
const MAX_DOCUMENT_KEY_BYTES = 512;

/** What every store accepts as the name of a table. */
const TABLE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{2,62}$/;

/** Refuses a key that not every adapter can hold, with `INPUT_INVALID`. */
export function checkDocumentKey(key: DocumentKey): void {
  checkTable(key.table);
  checkKeyText('partition', key.partition);
  checkKeyText('sort', key.sort);
}

/**
 * Refuses a query that no store can run, with `INPUT_INVALID`; the ends of its range may be any
 * text.
 */
export function checkDocumentQuery(query: DocumentQuery): void {
  checkTable(query.table);
  checkKeyText('partition', query.partition);
  const { limit } = query;
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new PipelineError(
      'INPUT_INVALID',
      `the limit ${limit} of a document query is not a whole number from 0 on`,
    );
  }
}

/** Refuses an expected version that is not a whole number from 0 on, with `INPUT_INVALID`. */
export function checkExpectedVersion(version: number): void {
  if (Number.isSafeInteger(version) && version >= 0) return;
  throw new PipelineError(
    'INPUT_INVALID',
    `the expected version ${version} is not a whole number from 0 on`,
  );
}

/** The same error from every adapter when another writer was first. */
export function documentConflict(
  key: DocumentKey,
  expectedVersion: number,
  found: number | undefined,
): PipelineError {
  const expected = expectedVersion === 0 ? 'not to exist' : `to have version ${expectedVersion}`;
  const is = found === undefined ? 'does not exist' : `has version ${found}`;
  return new PipelineError(
    'STORE_CONFLICT',
    `the document ${documentName(key)} was expected ${expected}, but ${is}`,
    {
      context: {
        table: key.table,
        partition: key.partition,
        sort: key.sort,
        expectedVersion,
        foundVersion: found ?? 0,
      },
    },
  );
}

/** For messages: parts may hold the separator, so it cannot be read back. */
export function documentName(key: DocumentKey): string {
  return `${key.table}:${key.partition}:${key.sort}`;
}

/**
 * The members of an error's context that say which document it is about: whoever reads many can go
 * on with the others.
 */
export function documentContext({
  table,
  partition,
  sort,
}: DocumentKey): Record<'table' | 'partition' | 'sort', string> {
  return { table, partition, sort };
}

/** Refuses a table name that not every adapter can hold, with `INPUT_INVALID`. */
export function checkTable(table: string): void {
  if (TABLE_NAME.test(table)) return;
  const rule = '3 to 63 letters, digits, ".", "-" or "_", beginning with a letter';
  throw new PipelineError(
    'INPUT_INVALID',
    `the table name ${JSON.stringify(table)} is not usable: it needs ${rule}`,
  );
}

function checkKeyText(what: 'partition' | 'sort', text: string): void {
  const bytes = Buffer.byteLength(text);
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  if (bytes === 0 || bytes > MAX_DOCUMENT_KEY_BYTES) {
    const limits = `1 to ${MAX_DOCUMENT_KEY_BYTES} bytes`;
    throw new PipelineError(
      'INPUT_INVALID',
      `the ${what} key ${shown} has ${bytes} bytes; it needs ${limits}`,
    );
  }
  if (!isWellFormed(text)) {
    throw new PipelineError('INPUT_INVALID', `the ${what} key ${shown} is not well-formed Unicode`);
  }
}
