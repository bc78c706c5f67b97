import { PipelineError, asPipelineError, errorCodeOf } from '../../errors.ts';
import { describeRow, problemOf } from '../../pipelines/stored-records.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { DocumentQuery, DocumentStore } from '../../ports/documents.ts';

/** One row of a query: what it says, or why it cannot be read. */
export type Row<T> =
  | { readonly sort: string; readonly body: T }
  | { readonly unreadable: UnreadableRow };

/**
 * The rows of a query in ascending order. One that cannot be read is told of as such, and the
 * others come all the same.
 */
export async function* readRows<T extends object>(
  documents: DocumentStore,
  query: DocumentQuery,
): AsyncGenerator<Row<T>> {
  const range = { ...query };
  for (;;) {
    try {
      for await (const { sort, body } of documents.query<T>(range)) {
        range.from = following(sort);
        const unreadable = problemOf({ ...query, sort }, body);
        yield unreadable === undefined ? { sort, body } : { unreadable };
      }
      return;
    } catch (error) {
      const unreadable = unreadableRow(error, query);
      if (unreadable === undefined) throw error;
      // A store that reads a page at once has not given the rows before it.
      yield* readRows<T>(documents, { ...range, to: unreadable.sort });
      yield { unreadable };
      range.from = following(unreadable.sort);
    }
  }
}

/** The row with the largest sort key. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers say what a body is
export async function lastRow<T extends object>(
  documents: DocumentStore,
  query: DocumentQuery,
): Promise<Row<T> | undefined> {
  try {
    for await (const { sort, body } of documents.query<T>({
      ...query,
      order: 'descending',
      limit: 1,
    })) {
      const unreadable = problemOf({ ...query, sort }, body);
      return unreadable === undefined ? { sort, body } : { unreadable };
    }
    return undefined;
  } catch (error) {
    const unreadable = unreadableRow(error, query);
    if (unreadable === undefined) throw error;
    return { unreadable };
  }
}

/** For a caller who cannot do without the row. */
export function refuseRow(row: UnreadableRow): PipelineError {
  const { table, partition, sort } = row;
  return new PipelineError('STORE_CORRUPT', describeRow(row), {
    context: { table, partition, sort },
  });
}

/** The row that the error is about, when it is one of the query. */
export function unreadableRow(
  error: unknown,
  { table, partition }: DocumentQuery,
): UnreadableRow | undefined {
  if (errorCodeOf(error) !== 'STORE_CORRUPT') return undefined;
  const { context, message } = asPipelineError(error);
  const { sort } = context;
  if (context['table'] !== table || context['partition'] !== partition || typeof sort !== 'string')
    return undefined;
  return { table, partition, sort, why: message, newer: false };
}

/** The least text that comes after this one. */
function following(sort: string): string {
  return `${sort}\0`;
}
