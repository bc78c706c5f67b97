import {
  csvRowsSql,
  firstOf,
  lastOf,
  openCsv,
  PipelineError,
  quoteIdentifier,
  required,
} from '../kit/index.ts';
import type { GivenFile, RecognisedFile, SqlSession } from '../kit/index.ts';
import { REGISTER } from './register.ts';
import { kindOf, readRtePage } from './rte-page.ts';

/**
 * `Dataset.recognise`: a saved page of RTE, or an export of ODRE's register.
 * @throws `INPUT_INVALID` with what was found and what would be recognised.
 */
export async function recogniseFile(file: GivenFile, sql: SqlSession): Promise<RecognisedFile> {
  try {
    return /\.html?$/i.test(file.name)
      ? await recognisePage(file)
      : await recogniseRegister(file, sql);
  } catch (cause) {
    if (!(cause instanceof PipelineError) || !cause.code.startsWith('SRC_')) throw cause;
    const known =
      'RTE’s pages production/eolien and production/solaire (.html), or ODRE’s parc-prod-par-filiere (CSV)';
    throw new PipelineError('INPUT_INVALID', `${cause.message}. What can be imported: ${known}`, {
      cause,
    });
  }
}

async function recognisePage({ path, name }: GivenFile): Promise<RecognisedFile> {
  const figures = await readRtePage(path, name);
  const isSolar = figures.some((figure) => kindOf(figure)?.source === 'solaire');
  const months = figures.map(({ month }) => month).sort();
  return {
    part: isSolar ? 'rte-solaire' : 'rte-eolien',
    kind: 'RTE’s page of monthly production and load factors',
    from: `${firstOf(months)}-01`,
    to: lastDayOf(lastOf(months)),
    rows: figures.length,
    extension: 'html',
    mediaType: 'text/html',
  };
}

function lastDayOf(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
}

async function recogniseRegister(
  { path, name }: GivenFile,
  sql: SqlSession,
): Promise<RecognisedFile> {
  const csv = await openCsv(path, name, REGISTER);
  const year = `left(trim(${quoteIdentifier(required(csv.known.get('year'), 'the column year'))}), 4)`;
  const [found] = await sql.rows<{ rows: number; first: string; last: string }>(
    `SELECT count(*) AS rows, min(${year}) AS first, max(${year}) AS last FROM ${csvRowsSql(csv)}`,
  );
  const { rows = 0, first = '', last = '' } = found ?? {};
  return {
    part: 'odre-parc',
    kind: 'ODRE’s register of installed capacity',
    from: `${first}-01-01`,
    // The state of 31 December is also what is known at the beginning of the next year.
    to: `${Number(last) + 1}-12-31`,
    rows,
    columns: { unknown: csv.unknown, missing: [] },
    extension: 'csv',
    mediaType: 'text/csv',
  };
}
