import path from 'node:path';
import {
  copyToParquet,
  csvRowsSql,
  definedMembers,
  nthOf,
  openCsv,
  PipelineError,
  quoteIdentifier,
  quoteText,
  refuseUnreadable,
  required,
  rowsOfCsv,
  writeParquetRows,
} from '../kit/index.ts';
import type {
  CivilDate,
  Dataset,
  RowsFile,
  SliceTask,
  SqlColumn,
  SqlSession,
  UnitOutcome,
} from '../kit/index.ts';
import { REGISTER } from './register.ts';
import { readRtePage } from './rte-page.ts';

/**
 * A day has what is told of its month by RTE, and of the ends of its year and of the year before by
 * the register: the days of a month share their slices, and a corrected month changes no other.
 */

const FIGURE_COLUMNS: readonly SqlColumn[] = ['cle', 'nom', 'mois', 'valeur'].map((name) => ({
  name,
  type: 'VARCHAR',
}));

/** `Dataset.slice` of installed capacity; see there. */
export const sliceRawFile: Dataset['slice'] = (task, sql) => {
  if (task.part === 'odre-parc') return sliceRegister(task, sql);
  if (task.part === 'rte-eolien' || task.part === 'rte-solaire') return slicePage(task, sql);
  throw new PipelineError('INTERNAL', `parc has no part ${task.part}`);
};

async function slicePage(task: SliceTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const figures = await readRtePage(
    task.raw.path,
    `RTE’s page ${task.part} (${path.basename(task.raw.path)})`,
  );
  return bySpan(
    task,
    (date) => date.slice(0, 7),
    FIGURE_COLUMNS.length,
    async (month) => {
      const rows = figures.filter((figure) => figure.month === month);
      if (rows.length === 0) return undefined;
      const cells = rows
        .map(({ key, name, month: own, value }) => [key, name, own, value])
        .sort(byTexts);
      return writeParquetRows(sql, FIGURE_COLUMNS, cells, `${task.part}-${month}`);
    },
  );
}

function byTexts(one: readonly string[], other: readonly string[]): number {
  const place = one.findIndex((text, index) => text !== other[index]);
  return place === -1 ? 0 : nthOf(one, place) < nthOf(other, place) ? -1 : 1;
}

async function sliceRegister(task: SliceTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const file = await openCsv(
    task.raw.path,
    `the register ${path.basename(task.raw.path)}`,
    REGISTER,
  );
  const name = required(file.known.get('year'), 'the column year');
  const year = `left(trim(${quoteIdentifier(name)}), 4)`;
  await refuseUnreadable(sql, rowsOfCsv(file), {
    what: 'year',
    columns: [name],
    isOdd: `NOT coalesce(regexp_full_match(${year}, '\\d{4}'), false)`,
    told: quoteIdentifier(name),
  });
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE published AS SELECT DISTINCT * FROM ${csvRowsSql(file)}`,
  );
  const order = file.published.map(quoteIdentifier).join(', ');
  return bySpan(
    task,
    (date) => date.slice(0, 4),
    file.published.length,
    async (own) => {
      const years = [String(Number(own) - 1), own].map(quoteText).join(', ');
      const select = `SELECT * FROM published WHERE ${year} IN (${years}) ORDER BY ${order}`;
      const slice = await copyToParquet(sql, select, `register-${own}`);
      return slice.rows === 0 ? undefined : slice;
    },
  );
}

/** The outcome of each day from the one file of its month or year. */
async function bySpan(
  { days }: SliceTask,
  spanOf: (date: CivilDate) => string,
  columns: number,
  write: (span: string) => Promise<RowsFile | undefined>,
): Promise<readonly UnitOutcome[]> {
  const files = new Map<string, RowsFile | undefined>();
  const outcomes: UnitOutcome[] = [];
  for (const { date } of days) {
    const span = spanOf(date);
    if (!files.has(span)) files.set(span, await write(span));
    const slice = files.get(span);
    const facts = { rows: slice?.rows ?? 0, published_columns: columns, unknown_columns: [] };
    outcomes.push({ scope: date, outputs: definedMembers({ slice }), checks: [], facts });
  }
  return outcomes;
}
