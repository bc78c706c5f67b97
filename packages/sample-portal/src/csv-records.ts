import { csvField } from '@quotidien/machine/csv-field';
import type { Bytes } from './answer.ts';

/**
 * CSV cut into records and fields without touching a byte of them: text is handled as latin1, which
 * maps every byte to one character and back, so files of any encoding pass through unchanged.
 */

/** Whether a record that ends here is complete: a line end inside quotes belongs to the field. */
function quotesAreClosed(record: string): boolean {
  let open = false;
  for (let at = record.indexOf('"'); at !== -1; at = record.indexOf('"', at + 1)) open = !open;
  return !open;
}

function withoutReturn(record: string): string {
  return record.endsWith('\r') ? record.slice(0, -1) : record;
}

/** Complete records without their line ends, and what ended them. */
export interface RecordBatch {
  readonly records: readonly string[];
  /** That of the first line; a file is not expected to mix them. */
  readonly lineEnd: LineEnd;
}

/** Without it a record is not complete. */
export type LineEnd = '\n' | '\r\n';

/** The records of a CSV as latin1 text, as many at a time as a chunk completes. */
export async function* csvRecords(chunks: Bytes): AsyncGenerator<RecordBatch, void, undefined> {
  let lineEnd: LineEnd | undefined;
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (
      rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
    ).split('\n');
    rest = lines.pop() ?? '';
    const records: string[] = [];
    let pending = '';
    for (const line of lines) {
      pending = pending === '' ? line : `${pending}\n${line}`;
      if (!quotesAreClosed(pending)) continue;
      lineEnd ??= pending.endsWith('\r') ? '\r\n' : '\n';
      records.push(withoutReturn(pending));
      pending = '';
    }
    if (pending !== '') rest = `${pending}\n${rest}`;
    if (records.length > 0) yield { records, lineEnd: lineEnd ?? '\n' };
  }
  if (rest !== '') yield { records: [withoutReturn(rest)], lineEnd: lineEnd ?? '\n' };
}

/** The raw fields of a record, quotes kept, so that joining them gives the record again. */
export function splitFields(record: string, delimiter: string): string[] {
  const pieces = record.split(delimiter);
  if (!record.includes('"')) return pieces;
  const fields: string[] = [];
  let pending: string | undefined;
  for (const piece of pieces) {
    pending = pending === undefined ? piece : pending + delimiter + piece;
    if (!quotesAreClosed(pending)) continue;
    fields.push(pending);
    pending = undefined;
  }
  return pending === undefined ? fields : [...fields, pending];
}

/** What a raw field says, as UTF-8 text. */
export function fieldText(raw: string): string {
  const inner =
    raw.startsWith('"') && raw.endsWith('"') && raw.length > 1
      ? raw.slice(1, -1).replaceAll('""', '"')
      : raw;
  return Buffer.from(inner, 'latin1').toString('utf8');
}

/** A text as a raw field: quoted where the delimiter, a quote or a line end asks for it. */
export function rawField(text: string, delimiter: string): string {
  return Buffer.from(csvField(text, delimiter), 'utf8').toString('latin1');
}

/** The bytes of records, the last one ended too. */
export function recordBytes({ records, lineEnd }: RecordBatch): Uint8Array {
  return Buffer.from(records.map((record) => record + lineEnd).join(''), 'latin1');
}
