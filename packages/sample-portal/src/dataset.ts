import type { Bytes } from './answer.ts';
import type { Comparison } from './odsql.ts';
import type { FieldDescription } from './synthetic/columns.ts';
import type { CsvFormat } from './synthetic/csv.ts';

export type { CsvFormat, FieldDescription };

/**
 * The rows that a request selects, as they were when it arrived; they do not change while a body is
 * being sent.
 */
export interface Selection {
  /** Equal texts mean equal rows: what an ETag is made of. */
  contentKey(): Promise<string>;
  /** The same bytes at every call. */
  csv(format: CsvFormat): Bytes;
  /**
   * The whole selection as a JSON array, and as a GeoJSON collection, where the dataset is served
   * so.
   */
  json?(zone: CsvFormat['zone']): Bytes;
  geojson?(): Bytes;
  /** Rows `[offset, offset + limit)` in the order of the export, with how many there are in all. */
  records(offset: number, limit: number, zone: CsvFormat['zone']): Promise<RecordPage>;
}

/** Rows of the records endpoint; `total` counts all that were selected. */
export interface RecordPage {
  readonly total: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** What a dataset is at one moment. */
export interface DatasetState {
  /** Moves with every change of the data, unlike `modified`. */
  readonly processedAt: Date;
  readonly fields: readonly FieldDescription[];
  countRecords(): Promise<number>;
  /**
   * @param where Terms that all hold.
   * @param zone How times without an offset are read.
   * @throws a 400 refusal for a field that the dataset cannot be filtered by.
   */
  select(where: readonly Comparison[], zone: CsvFormat['zone']): Selection;
}

/** Days whose values the publisher changes. */
export interface Revision {
  readonly dataset: string;
  /** First and last changed day, both `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
  /**
   * Which change it is: another salt gives other values, the same one the same values again. Any
   * integer.
   */
  readonly salt: number;
}

/** What the portal needs to know of a dataset, made up or read from files. */
export interface PortalDataset {
  readonly id: string;
  readonly title: string;
  /** When the metadata were last edited: frozen, so it tells nothing of the data. */
  readonly modified: Date;
  state(now: Date): Promise<DatasetState>;
  /**
   * @throws `INPUT_INVALID` when the values of this dataset cannot be changed, or the days are
   * none.
   */
  revise(revision: Revision, now: Date): void;
}
