import type { Bytes } from './answer.ts';
import { csvRecords, fieldText, rawField, recordBytes, splitFields } from './csv-records.ts';
import { shortNameOf } from './synthetic/columns.ts';

/**
 * A way in which a publisher changes the columns of an export; columns are named by short name or
 * as the header has them.
 */
export type HeaderChange =
  | { readonly rename: string; readonly to: string }
  | { readonly remove: string }
  /** A new column, with a number in each row, before the column `before` or at the end. */
  | { readonly add: string; readonly before?: string }
  | { readonly reorder: 'reverse' };

function columnIndex(names: readonly string[], column: string): number {
  return names.findIndex((name) => name === column || shortNameOf(name) === column);
}

type FieldChange = (fields: string[], header: boolean) => string[];

/**
 * What a change does to the raw fields of each record. A column that is not there leaves the export
 * as it is.
 */
function fieldChange(
  change: HeaderChange,
  names: readonly string[],
  delimiter: string,
): FieldChange {
  if ('reorder' in change) return (fields) => fields.reverse();
  if ('rename' in change) {
    const column = columnIndex(names, change.rename);
    const name = rawField(change.to, delimiter);
    return (fields, header) =>
      fields.map((field, index) => (header && index === column ? name : field));
  }
  if ('remove' in change) {
    const column = columnIndex(names, change.remove);
    return (fields) => fields.filter((_, index) => index !== column);
  }
  const before = change.before === undefined ? -1 : columnIndex(names, change.before);
  const place = before === -1 ? names.length : before;
  const name = rawField(change.add, delimiter);
  return (fields, header) => fields.toSpliced(place, 0, header ? name : '17');
}

/** A CSV whose columns the publisher has changed; everything else is byte for byte the same. */
export async function* changeHeader(
  csv: Bytes,
  change: HeaderChange,
  delimiter: string,
): AsyncGenerator<Uint8Array> {
  let apply: FieldChange | undefined;
  for await (const { records, lineEnd } of csvRecords(csv)) {
    const changed = records.map((record) => {
      const fields = splitFields(record, delimiter);
      const header = apply === undefined;
      apply ??= fieldChange(change, fields.map(fieldText), delimiter);
      return apply(fields, header).join(delimiter);
    });
    yield recordBytes({ records: changed, lineEnd });
  }
}
