import type { FlatTable } from '../../pipelines/dataset.ts';

type Column = FlatTable['columns'][number];

/** A column of a flat table: its name, its type, and where its value is in a row. */
export interface FlatField<Row> extends Column {
  valueOf(row: Row): FlatTable['rows'][number][number];
}

/** The rows as a small flat table, for `tools.writeFlatParquet` of a `plain` step. */
export function flatTable<Row>(fields: readonly FlatField<Row>[], rows: readonly Row[]): FlatTable {
  return {
    columns: fields.map(({ name, type }) => ({ name, type })),
    rows: rows.map((row) => fields.map((field) => field.valueOf(row))),
  };
}
