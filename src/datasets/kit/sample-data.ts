import type { FlatTable } from '../../pipelines/dataset.ts';

/** How reports name rows that a sample portal made up. */
export const SAMPLE_WORDS = 'données d’exemple (sample data)';

/** With a capital, as at the beginning of a sentence. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/**
 * The table whose file says in its metadata that it is made of made-up rows, or the table as it is.
 */
export function markedTable(table: FlatTable, sample: readonly string[]): FlatTable {
  if (sample.length === 0) return table;
  return { ...table, metadata: { sample_data: 'true', sample_parts: sample.join(' ') } };
}
