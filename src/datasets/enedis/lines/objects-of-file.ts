import { readFile } from 'node:fs/promises';
import { PipelineError, textBefore } from '../../kit/index.ts';

/**
 * A table of a file as objects by the names in its head, whatever its format. What reads a format
 * is loaded by the first file that has it.
 */

/** A row with where it stands in the file, counted from 1. */
export interface GivenRow {
  readonly line: number;
  readonly cells: Readonly<Record<string, unknown>>;
}

const ZIP_MAGIC = 'PK\u0003\u0004';

/**
 * The rows of a CSV file (`,` or `;`, with a head), of lines or a list of JSON, or of the first
 * sheet of an XLSX workbook.
 *
 * @throws `INPUT_INVALID` that names the line
 */
export async function rowsOfFile(path: string): Promise<GivenRow[]> {
  const bytes = await readFile(path);
  if (bytes.subarray(0, ZIP_MAGIC.length).toString('latin1') !== ZIP_MAGIC)
    return rowsOfText(bytes.toString('utf8'));
  return rowsOfWorkbook(bytes);
}

/** The same for a text; nothing gives no rows. */
export async function rowsOfText(content: string): Promise<GivenRow[]> {
  const text = content.replace(/^\uFEFF/, '');
  const begin = text.trimStart();
  if (begin === '') return [];
  if (text.includes('\0') || text.includes('\uFFFD'))
    throw invalid(1, 'the file is no text in UTF-8, and no XLSX workbook');
  if (begin.startsWith('[')) return listOf(begin);
  if (begin.startsWith('{')) return jsonLines(text);
  const { parseCsv } = await import('hucre/csv');
  return rowsUnder(parseCsv(text, { delimiter: delimiterOf(begin) }));
}

/** That of the head: the rows may have decimal commas. */
function delimiterOf(text: string): string {
  const head = textBefore(textBefore(text, '\n'), '\r');
  return head.includes(';') ? ';' : head.includes('\t') ? '\t' : ',';
}

async function rowsOfWorkbook(bytes: Uint8Array): Promise<GivenRow[]> {
  const { readXlsx } = await import('hucre/xlsx');
  const workbook = await readXlsx(bytes, { sheets: [0] }).catch((cause: unknown) => {
    throw new PipelineError(
      'INPUT_INVALID',
      'the file begins as a workbook and cannot be read as one',
      { cause },
    );
  });
  return rowsUnder(workbook.sheets[0]?.rows ?? []);
}

function listOf(text: string): GivenRow[] {
  const list = parseJson(text, 1);
  if (!Array.isArray(list))
    throw invalid(1, 'a JSON file has a list of objects, or one object a line');
  return list.map((cells: unknown, index) => ({
    line: index + 1,
    cells: objectOf(cells, index + 1),
  }));
}

function jsonLines(text: string): GivenRow[] {
  return text.split(/\r?\n/).flatMap((one, index) => {
    if (one.trim() === '') return [];
    return [{ line: index + 1, cells: objectOf(parseJson(one, index + 1), index + 1) }];
  });
}

function parseJson(text: string, line: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PipelineError('INPUT_INVALID', `line ${line} is no JSON`, { cause });
  }
}

function objectOf(value: unknown, line: number): GivenRow['cells'] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as GivenRow['cells'];
  throw invalid(line, 'it is no object with the names of columns');
}

/** Rows below the first one, which has the names of the columns; a row without a value is none. */
function rowsUnder(rows: readonly (readonly unknown[])[]): GivenRow[] {
  const [head = [], ...rest] = rows;
  const names = head.map((cell) =>
    cell === null || cell === undefined ? '' : textOfCell(cell).trim(),
  );
  const double = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (double !== undefined) throw invalid(1, `two columns have the name ${double}`);
  return rest.flatMap((row, index) => {
    const line = index + 2;
    if (row.every((cell) => cell === null || cell === undefined || cell === '')) return [];
    const foreign = row.findIndex(
      (cell, at) => cell !== null && cell !== '' && (names[at] ?? '') === '',
    );
    if (foreign !== -1)
      throw invalid(line, `column ${foreign + 1} has a value and no name in the head`);
    return [
      {
        line,
        cells: Object.fromEntries(
          names.flatMap((name, at) => (name === '' ? [] : [[name, row[at] ?? '']])),
        ),
      },
    ];
  });
}

/** What a cell says; a list or an object is shown as JSON. */
export function textOfCell(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function invalid(line: number, what: string): PipelineError {
  return new PipelineError('INPUT_INVALID', `line ${line}: ${what}`);
}
