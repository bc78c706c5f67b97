import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SyntheticDatasetId } from './columns.ts';
import { syntheticCsv } from './csv.ts';
import { daysOf, wholeView } from './dataset.ts';
import type { SyntheticOptions } from './publication.ts';
import { countRows } from './view.ts';

/** Which days, as published by when. */
export interface SyntheticCsvRequest extends SyntheticOptions {
  readonly dataset: SyntheticDatasetId;
  /**
   * First and last day, `YYYY-MM-DD`, both included; days that are not published at `now` have no
   * rows.
   */
  readonly from: string;
  readonly to: string;
  /** Where the file goes; replaced when it exists. */
  readonly path: string;
  /** Default 1. */
  readonly seed?: number;
  readonly now: Date;
}

/**
 * Writes the bytes that a portal with the same seed and clock answers for these days with
 * `use_labels=true` and `timezone=Europe/Paris`. Streams: memory does not grow with the range.
 * @returns how many rows were written, without the header.
 * @throws `INPUT_INVALID` when a date is none.
 */
export async function writeSyntheticCsv(request: SyntheticCsvRequest): Promise<number> {
  const whole = wholeView(request.dataset, request.seed ?? 1, request.now, request, []);
  const view = daysOf(whole, request.from, request.to);
  const chunks = syntheticCsv(view, {
    delimiter: ';',
    zone: 'Europe/Paris',
    labels: true,
    bom: false,
  });
  await pipeline(Readable.from(chunks), createWriteStream(request.path));
  return countRows(view);
}
