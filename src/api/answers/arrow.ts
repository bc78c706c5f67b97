import { pipeline, Readable } from 'node:stream';
import {
  Bool,
  DateDay,
  Field,
  Float64,
  Int64,
  RecordBatchStreamWriter,
  Schema,
  Table,
  TimestampMicrosecond,
  Utf8,
  Vector,
  makeData,
  vectorFromArray,
} from 'apache-arrow';
import type { DataType, RecordBatch } from 'apache-arrow';
import { textBefore } from '../../given.ts';
import type { AnswerRow, AnswerValue, ColumnType, TableColumn } from '../../pipelines/tables.ts';

/** Rows as an Arrow IPC stream: one record batch for each set of rows. */

const TYPES: Readonly<Record<ColumnType, () => DataType>> = {
  text: () => new Utf8(),
  integer: () => new Int64(),
  number: () => new Float64(),
  instant: () => new TimestampMicrosecond('UTC'),
  date: () => new DateDay(),
  boolean: () => new Bool(),
};

/** An Arrow IPC stream; every column may be null. One that breaks off lacks its end mark. */
export function arrowStream(
  columns: readonly TableColumn[],
  sets: AsyncIterable<readonly AnswerRow[]>,
): Readable {
  const fields = columns.map(({ name, type }) => new Field(name, TYPES[type](), true));
  const schema = new Schema(fields);
  const through = RecordBatchStreamWriter.throughNode();
  // A failure destroys the stream, and with it the answer: what was sent ends without its last
  // bytes.
  pipeline(Readable.from(batchesOf(schema, columns, sets)), through, () => undefined);
  return through;
}

async function* batchesOf(
  schema: Schema,
  columns: readonly TableColumn[],
  sets: AsyncIterable<readonly AnswerRow[]>,
): AsyncGenerator<RecordBatch> {
  let none = true;
  for await (const rows of sets) {
    none = false;
    yield* batchOf(schema, columns, rows);
  }
  // A stream without a batch would have no schema either.
  if (none) yield* batchOf(schema, columns, []);
}

function batchOf(
  schema: Schema,
  columns: readonly TableColumn[],
  rows: readonly AnswerRow[],
): readonly RecordBatch[] {
  const vectors = columns.map(({ name, type }) => [
    name,
    vectorOf(
      type,
      rows.map((row) => row[name] ?? null),
    ),
  ]);
  return new Table(schema, Object.fromEntries(vectors) as never).batches;
}

function vectorOf(type: ColumnType, values: readonly AnswerValue[]): Vector {
  if (type === 'instant') return instantsOf(values);
  return vectorFromArray(
    values.map((value) => arrowValue(type, value)),
    TYPES[type](),
  );
}

function arrowValue(type: ColumnType, value: AnswerValue): unknown {
  if (value === null) return null;
  if (type === 'integer') return BigInt(value);
  return type === 'date' ? new Date(value as string) : value;
}

/** The library takes instants as milliseconds in a double, which has no room for microseconds. */
function instantsOf(values: readonly AnswerValue[]): Vector {
  const data = new BigInt64Array(values.length);
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  for (const [index, value] of values.entries()) {
    const micros = value === null ? undefined : microsOf(value as string);
    if (micros === undefined) nullCount += 1;
    else {
      data[index] = micros;
      nullBitmap[index >> 3] = (nullBitmap[index >> 3] ?? 0) | (1 << (index & 7));
    }
  }
  const type = new TimestampMicrosecond('UTC');
  return new Vector([makeData({ type, length: values.length, nullCount, nullBitmap, data })]);
}

/**
 * Of an instant as rows have it, such as `2024-03-31T01:00:00.000250Z`: since 1970; undefined for
 * times that no year has.
 */
function microsOf(instant: string): bigint | undefined {
  const [, fraction = ''] = /\.(\d{1,6})/.exec(instant) ?? [];
  const ms = Date.parse(`${textBefore(textBefore(instant, '.'), 'Z')}Z`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000n + BigInt(fraction.padEnd(6, '0'));
}
