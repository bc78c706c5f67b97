import {
  addDays,
  chooseLayout,
  civilDateAt,
  csvRowsSql,
  isCivilDate,
  isRecord,
  matchOf,
  oddColumns,
  PipelineError,
  quoteIdentifier,
  readJsonDocuments,
  readTextEnds,
  required,
  textOf,
} from '../kit/index.ts';
import type {
  CivilDate,
  CsvLayout,
  Dataset,
  GivenFile,
  RecognisedFile,
  SqlSession,
} from '../kit/index.ts';
import { ZONE } from './zones.ts';
import { cityflowDefinition, WORKS_TRUSTED_DAYS } from './definition.ts';
import { COUNTS, NETWORK, WORKS } from './columns.ts';
import { parseApiKey } from './raw-layout.ts';
import { countDaySql, openCounts, refuseUnreadableHours } from './slices/counts.ts';
import { BIKES, DISTRICTS, OPEN_METEO, periodsOf, TRAFFIC, WEATHER } from './slices/records.ts';
import { countListed, openNetwork, openWorks } from './slices/tables.ts';
import { RAIL_RIDES, SERVICE, SURFACE_RIDES } from './transport/columns.ts';
import { openRides, openService, rideDays, serviceDays } from './transport/slices.ts';

/** What a file holds: its part, in words, and the days it is for. */
type Found = Pick<RecognisedFile, 'part' | 'kind' | 'from' | 'to' | 'asOf' | 'rows' | 'columns'>;

/**
 * A reference has no date: it is taken for every day of the city up to this one, unless newer ones
 * are imported.
 */
const REFERENCE_TO: CivilDate = '2029-12-31';

/** How the files of each layout are read: which days they are for. */
interface CsvKind extends CsvLayout<string> {
  find(file: GivenFile, sql: SqlSession): Promise<Found>;
}

const CSV_KINDS: readonly CsvKind[] = [
  { ...COUNTS, find: findCounts },
  { ...WORKS, find: findWorks },
  { ...NETWORK, find: findNetwork },
  { ...SURFACE_RIDES, find: (file, sql) => findRides(file, sql, 'validations') },
  { ...RAIL_RIDES, find: (file, sql) => findRides(file, sql, 'validations-rail') },
  { ...SERVICE, find: findService },
];

/**
 * `Dataset.recognise` of CityFlow: says by its content what a file is. Only an answer without a
 * date of its own, the disruptions, takes its day from the folders it lies in (`dt=…/hour=…`) where
 * they say it.
 * @throws `INPUT_INVALID` with what was found and what would be recognised.
 */
export const recogniseFile: NonNullable<Dataset['recognise']> = async (file, sql) => {
  try {
    const { head } = await readTextEnds(file.path, file.name);
    if (/^\s*[{[]/.test(head)) {
      const found = await findJson(file);
      return {
        ...found,
        extension: found.part === 'arrondissements' ? 'geojson' : 'json',
        mediaType: 'application/json',
      };
    }
    return {
      ...(await findCsv(file, sql)),
      extension: 'csv',
      mediaType: 'text/csv; charset=utf-8',
    };
  } catch (cause) {
    if (!(cause instanceof PipelineError) || !cause.code.startsWith('SRC_')) throw cause;
    throw new PipelineError(
      'INPUT_INVALID',
      `${cause.message}. What can be imported: road counts (comptages-routiers-permanents or a history archive), roadworks ` +
        '(chantiers-perturbants), the road network (referentiel-comptages-routiers), ticket validations (JOUR, NB_VALD), quality of ' +
        'service (SNCF and RATP), districts (GeoJSON), and JSON answers with results (bikes), disruptions, days (Visual Crossing) or daily (Open-Meteo)',
      { cause },
    );
  }
};

async function findCsv(file: GivenFile, sql: SqlSession): Promise<Found> {
  const kind = await chooseLayout<CsvKind>(file.path, file.name, CSV_KINDS);
  return kind.find(file, sql);
}

interface Extent {
  readonly rows: number;
  readonly first: CivilDate | null;
  readonly last: CivilDate | null;
}

async function findCounts({ path, name }: GivenFile, sql: SqlSession): Promise<Found> {
  const file = await openCounts(path, name);
  const day = countDaySql(quoteIdentifier(required(file.known.get('at'), 'the column at')));
  const [extent] = await sql.rows<Extent>(
    `SELECT count(*) AS rows, min(${day}) AS first, max(${day}) AS last FROM ${csvRowsSql(file)}`,
  );
  if (extent?.first === null) await refuseUnreadableHours(sql, file);
  return {
    ...foundTable('comptages', 'road counts', name, extent),
    columns: oddColumns(file, COUNTS),
  };
}

/**
 * A list of roadworks has no date of its own, and its works do not tell one: it has works that
 * start later, and works without an end. So somebody says of which day it is, or its name does. It
 * speaks for that day and some weeks after it, never for days before: works that had ended by then
 * are not on it.
 */
async function findWorks(
  { path, name, asOf = dateInName(name) }: GivenFile,
  sql: SqlSession,
): Promise<Found> {
  const file = await openWorks(path, name);
  const rows = await countListed(sql, file, 'id');
  if (asOf === undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${name} is a list of roadworks, and nothing says of which day: say it with --as-of YYYY-MM-DD, the day on which it was downloaded, ` +
        'or in its name, such as chantiers-2025-11-04.csv',
    );
  }
  const to = addDays(asOf, WORKS_TRUSTED_DAYS);
  return {
    part: 'chantiers',
    kind: 'roadworks',
    from: asOf,
    to,
    asOf,
    rows,
    columns: oddColumns(file, WORKS),
  };
}

/** `chantiers-2025-11-04.csv`, `20251104_export.csv` → `2025-11-04`. */
function dateInName(name: string): CivilDate | undefined {
  const [, year = '', month = '', day = ''] =
    /(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)/.exec(name) ?? [];
  const date = `${year}-${month}-${day}`;
  return isCivilDate(date) ? date : undefined;
}

async function findNetwork({ path, name }: GivenFile, sql: SqlSession): Promise<Found> {
  const file = await openNetwork(path, name);
  const rows = await countListed(sql, file, 'arc');
  const days = { from: cityflowDefinition.since, to: REFERENCE_TO };
  return {
    part: 'referentiel',
    kind: 'road network',
    ...days,
    rows,
    columns: oddColumns(file, NETWORK),
  };
}

async function findRides({ path, name }: GivenFile, sql: SqlSession, part: string): Promise<Found> {
  const file = await openRides(path, name, part);
  const kind =
    part === 'validations' ? 'validations of buses and trams' : 'validations of metro and trains';
  const layout = part === 'validations' ? SURFACE_RIDES : RAIL_RIDES;
  return {
    ...foundTable(part, kind, name, await rideDays(sql, file)),
    columns: oddColumns(file, layout),
  };
}

/** The indicators of a quarter are those of its days. */
async function findService({ path, name }: GivenFile, sql: SqlSession): Promise<Found> {
  const file = await openService(path, name);
  const found = foundTable(
    'service-quality',
    'quality of service',
    name,
    await serviceDays(sql, file),
  );
  return { ...found, columns: oddColumns(file, SERVICE) };
}

function foundTable(part: string, kind: string, name: string, extent: Extent | undefined): Found {
  const { rows, first, last } = extent ?? { rows: 0, first: null, last: null };
  if (first === null || last === null) {
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${name} has the header of ${kind} and no row with a readable date`,
    );
  }
  return { part, kind, from: first, to: last, rows };
}

async function findJson(file: GivenFile): Promise<Found> {
  const { path, name } = file;
  const documents = await readJsonDocuments(path, name);
  const has = (member: string): boolean =>
    documents.some((document) => isRecord(document) && Array.isArray(document[member]));
  if (has('disruptions')) return findDisruptions(file, documents);
  if (has('features')) return findReference(documents, name);
  if (has('days'))
    return datedBy('weather', 'weather of Visual Crossing', keysOf(WEATHER, documents, name), name);
  if (documents.some((document) => isRecord(document) && isRecord(document['daily']))) {
    return datedBy(
      'open-meteo',
      'weather of Open-Meteo',
      keysOf(OPEN_METEO, documents, name),
      name,
    );
  }
  const instants = keysOf(BIKES, documents, name).map((key) =>
    civilDateAt(new Date(key.slice(key.indexOf('/') + 1)), ZONE),
  );
  return datedBy('bikes', 'bike counts', instants, name);
}

function keysOf(reader: typeof BIKES, documents: readonly unknown[], what: string): string[] {
  return documents.flatMap((document) => reader.recordsOf(document, what).map(({ key }) => key));
}

function findReference(documents: readonly unknown[], name: string): Found {
  const rows = keysOf(DISTRICTS, documents, name).length;
  return {
    part: 'arrondissements',
    kind: 'districts',
    from: cityflowDefinition.since,
    to: REFERENCE_TO,
    rows,
  };
}

function datedBy(part: string, kind: string, dates: readonly CivilDate[], name: string): Found {
  const sorted = [...dates].sort();
  return foundTable(part, kind, name, {
    rows: dates.length,
    first: sorted[0] ?? null,
    last: sorted.at(-1) ?? null,
  });
}

/**
 * An answer about the moment: for the day that somebody says, or its folder, or its name; else for
 * that of its last update.
 */
function findDisruptions({ path, name, asOf }: GivenFile, documents: readonly unknown[]): Found {
  const records = documents.flatMap((document) =>
    TRAFFIC.recordsOf(document, name).map(({ record }) => record),
  );
  const told = asOf ?? parseApiKey(path)?.date ?? dateInName(name);
  const date = told ?? newestUpdate(records.map(({ updated_at: at }) => textOf(at)));
  if (date === undefined || records.every((record) => periodsOf(record).length === 0)) {
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${name} has disruptions and no date: neither its folder, nor its name, nor a record tells one; say it with --as-of YYYY-MM-DD`,
    );
  }
  return {
    part: 'traffic',
    kind: 'disruptions',
    from: date,
    to: date,
    asOf: date,
    rows: records.length,
  };
}

/** `20251104T051500` → `2025-11-04`. */
function newestUpdate(updates: readonly (string | null)[]): CivilDate | undefined {
  const dates = updates.flatMap((at) => {
    const [, year, month, day] = matchOf(/^(\d{4})-?(\d\d)-?(\d\d)T/, at) ?? [];
    return year === undefined || month === undefined || day === undefined
      ? []
      : [`${year}-${month}-${day}`];
  });
  return dates.sort().at(-1);
}
