import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { arrowStream } from '../../api/answers/arrow.ts';
import { DIALECTS } from '../../api/answers/csv.ts';
import type { Dialect } from '../../api/answers/csv.ts';
import type { Format } from '../../api/answers/formats.ts';
import { textOf } from '../../api/answers/row-text.ts';
import { xlsxWorkbook } from '../../api/answers/xlsx.ts';
import { sqlOf } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { writeParquetOf } from '../../engine/look/table-rows.ts';
import { PipelineError } from '../../errors.ts';
import type { RowsFileRequest, RowsSheet, WrittenFile } from '../../pipelines/dataset-command.ts';
import type { AnswerRow } from '../../pipelines/tables.ts';
import { formatOf, oneOf, STANDARD_OUTPUT } from './export.ts';

/** Rows that a command of a dataset has at hand as a file, in the formats of `quotidien export`. */
export async function writeSheets(engine: Engine, request: RowsFileRequest): Promise<WrittenFile> {
  const format = formatOf(request);
  const dialect = oneOf('--dialect', request.dialect ?? 'standard', DIALECTS);
  const finest = request.sheets.at(-1);
  if (finest === undefined)
    throw new PipelineError('INTERNAL', `${request.name} has no rows to write`);
  const file = request.output ?? `${request.name}.${format === 'arrow' ? 'arrows' : format}`;
  await engine.withScratchFolder(async (folder) => {
    // Made aside: a file of this name is whole, or what it was before.
    const made = file === STANDARD_OUTPUT ? path.join(folder, 'rows') : `${file}.part`;
    try {
      await writeFormat(engine, { sheets: request.sheets, finest, format, dialect }, made);
      if (file === STANDARD_OUTPUT)
        await pipeline(createReadStream(made), process.stdout, { end: false });
      else await rename(made, file);
    } finally {
      await rm(made, { force: true });
    }
  });
  return { format, file, rows: finest.rows.length };
}

interface Sheets {
  readonly sheets: readonly RowsSheet[];
  readonly finest: RowsSheet;
  readonly format: Format;
  readonly dialect: Dialect;
}

/** A workbook and JSON have every sheet; the others have the finest one. */
async function writeFormat(
  engine: Engine,
  { sheets, finest, format, dialect }: Sheets,
  made: string,
): Promise<void> {
  const { columns, rows } = finest;
  if (format === 'xlsx') return writeFile(made, await xlsxWorkbook(sheets));
  if (format === 'json' && sheets.length > 1) {
    const members = Object.fromEntries(sheets.map((sheet) => [sheet.name, sheet.rows]));
    return writeFile(made, `${JSON.stringify(members, null, 2)}\n`);
  }
  if (format === 'parquet')
    return sqlOf(engine).session((sql) => writeParquetOf(sql, columns, rows, made));
  const stream =
    format === 'arrow'
      ? arrowStream(columns, once(rows))
      : Readable.from(textOf(format, columns, once(rows), dialect), { objectMode: false });
  return pipeline(stream, createWriteStream(made));
}

async function* once(rows: readonly AnswerRow[]): AsyncGenerator<readonly AnswerRow[]> {
  yield await Promise.resolve(rows);
}
