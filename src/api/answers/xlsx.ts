import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { writeXlsx, writeXlsxStream } from 'hucre/xlsx';
import type { CellValue, ColumnDef } from 'hucre/xlsx';
import { definedMembers } from '../../given.ts';
import type { AnswerRow, AnswerValue, ColumnType, TableColumn } from '../../pipelines/tables.ts';
import { sheetHeader } from './spreadsheet.ts';

/**
 * Rows as a workbook, made while they are read: names of columns in the first row, which stays in
 * sight; numbers as numbers, days and instants as dates (in UTC), empty cells for what is not
 * there. Texts are texts, whatever they begin with: none is a formula. What is more than a sheet
 * holds (1,048,576 rows) goes on in the next one.
 */
export function xlsxStream(
  columns: readonly TableColumn[],
  sets: AsyncIterable<readonly AnswerRow[]>,
): Readable {
  const stream = writeXlsxStream(cellsOf(columns, sets), {
    name: 'quotidien',
    columns: columns.map(columnOf),
    freezePane: { rows: 1 },
  });
  return Readable.fromWeb(stream as ReadableStream<Uint8Array>);
}

/** Rows that are at hand as a workbook of several sheets, in the manner of `xlsxStream`. */
export async function xlsxWorkbook(
  sheets: readonly {
    readonly name: string;
    readonly columns: readonly TableColumn[];
    readonly rows: readonly AnswerRow[];
  }[],
): Promise<Uint8Array> {
  return writeXlsx({
    sheets: sheets.map(({ name, columns, rows }) => ({
      name,
      // With rows of cells, the names are a row like any other.
      columns: columns.map(columnOf),
      rows: [
        columns.map(sheetHeader),
        ...rows.map((row) =>
          columns.map((column) => cellOf(column.type, row[column.name] ?? null)),
        ),
      ],
      freezePane: { rows: 1 },
    })),
  });
}

const FORMATS: Partial<Readonly<Record<ColumnType, string>>> = {
  instant: 'yyyy-mm-dd hh:mm:ss',
  date: 'yyyy-mm-dd',
};

const WIDTHS: Partial<Readonly<Record<ColumnType, number>>> = { instant: 20, date: 12 };

function columnOf(column: TableColumn): ColumnDef {
  const { type } = column;
  const format = FORMATS[type];
  const header = sheetHeader(column);
  const width = Math.max(WIDTHS[type] ?? 10, header.length + 2);
  return { header, width, ...definedMembers({ numFmt: format }) };
}

async function* cellsOf(
  columns: readonly TableColumn[],
  sets: AsyncIterable<readonly AnswerRow[]>,
): AsyncGenerator<CellValue[]> {
  for await (const set of sets)
    for (const row of set) yield columns.map(({ name, type }) => cellOf(type, row[name] ?? null));
}

/**
 * Spreadsheets count days from 1900, with a 29th of February that was none; days before are texts.
 */
const FIRST_DAY_OF_SHEETS = '1900-03-01';

function cellOf(type: ColumnType, value: AnswerValue): CellValue {
  if (typeof value !== 'string') return value;
  if (type === 'instant' || type === 'date')
    return value < FIRST_DAY_OF_SHEETS ? value : new Date(value);
  // In a workbook `_x000D_` stands for a character, which its own first sign prevents (ECMA-376,
  // ST_Xstring).
  return value.replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');
}
