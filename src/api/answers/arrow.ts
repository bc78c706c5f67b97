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
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import type { DataType, RecordBatch } from 'apache-arrow';
import type { AnswerRow, AnswerValue, ColumnType, TableColumn } from '../../pipelines/tables.ts';

/** Rows as an Arrow IPC stream: one record batch for each set of rows. */

const TYPES: Readonly<Record<ColumnType, () => DataType>> = {
  text: () => new Utf8(),
  integer: () => new Int64(),
  number: () => new Float64(),
  instant: () => new TimestampMillisecond('UTC'),
  date: () => new DateDay(),
  boolean: () => new Bool(),
};

/** An Arrow IPC stream; every column may be null. One that breaks off lacks its end mark. */
export function arrowStream(columns: readonly TableColumn[], sets: AsyncIterable<readonly AnswerRow[]>): Readable {
  const fields = columns.map(({ name, type }) => new Field(name, TYPES[type](), true));
  const schema = new Schema(fields);
  const through = RecordBatchStreamWriter.throughNode();
  // A failure destroys the stream, and with it the answer: what was sent ends without its last bytes.
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

function batchOf(schema: Schema, columns: readonly TableColumn[], rows: readonly AnswerRow[]): readonly RecordBatch[] {
  const vectors = columns.map(({ name, type }) => [
    name,
    vectorFromArray(
      rows.map((row) => arrowValue(type, row[name] ?? null)),
      TYPES[type](),
    ),
  ]);
  return new Table(schema, Object.fromEntries(vectors) as never).batches;
}

function arrowValue(type: ColumnType, value: AnswerValue): unknown {
  if (value === null) return null;
  if (type === 'integer') return BigInt(value);
  if (type === 'instant' || type === 'date') return new Date(value as string);
  return value;
}
