import {
  checkResult,
  dayByDay,
  inputOf,
  isCivilDate,
  LOST_COLUMNS,
  lostColumns,
  matchOf,
  writeParquetRows,
} from '../../kit/index.ts';
import type {
  CheckDefinition,
  SqlColumn,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { WORK_COLUMNS, WORKS } from '../columns.ts';
import { areaM2, degrees, districtAt, outlinesOfText, positionOfText } from '../geometry.ts';
import type { District, Position } from '../geometry.ts';
import { DistrictsCache } from './days.ts';
import { columnsOf, readPublished } from './network.ts';

/**
 * `transform/chantiers`: roadworks around a day, one row each. A start after its end, missing dates
 * and a missing postcode exist: such works are kept and marked; whether a work is active is judged
 * on the data day, never on the day of processing.
 */

const UNIQUE: CheckDefinition = {
  id: 'unique-works',
  title: 'every identifier is one work',
  severity: 'warn',
};
const DATED: CheckDefinition = {
  id: 'usable-dates',
  title: 'every work has a start that is not after its end',
  severity: 'warn',
};
const PLACED: CheckDefinition = {
  id: 'works-have-a-postcode',
  title: 'every work has a postcode',
  severity: 'warn',
};
/**
 * What is wrong with single works warns: they are kept, marked and left out of judgements that need
 * the value.
 */
export const WORK_CHECKS: readonly CheckDefinition[] = [UNIQUE, DATED, PLACED, LOST_COLUMNS];

/** Core table: one row per work; the columns are those of `Work`. */
export const WORK_TABLE = [
  { name: 'work_id', type: 'VARCHAR' },
  { name: 'typology', type: 'VARCHAR' },
  { name: 'streets', type: 'VARCHAR' },
  { name: 'purpose', type: 'VARCHAR' },
  { name: 'impact', type: 'VARCHAR' },
  { name: 'level', type: 'VARCHAR' },
  { name: 'status', type: 'VARCHAR' },
  { name: 'postcode', type: 'VARCHAR' },
  { name: 'district', type: 'INTEGER' },
  { name: 'starts_on', type: 'VARCHAR' },
  { name: 'ends_on', type: 'VARCHAR' },
  { name: 'has_usable_dates', type: 'BOOLEAN' },
  { name: 'area_m2', type: 'DOUBLE' },
  { name: 'lon', type: 'DOUBLE' },
  { name: 'lat', type: 'DOUBLE' },
  { name: 'outlines', type: 'VARCHAR' },
] as const satisfies readonly SqlColumn[];

/** A row of the core table; texts are the publisher's, dates `YYYY-MM-DD`. */
export interface Work {
  readonly work_id: string;
  readonly typology: string | null;
  readonly streets: string | null;
  readonly purpose: string | null;
  readonly impact: string | null;
  readonly level: string | null;
  readonly status: string | null;
  readonly postcode: string | null;
  /** From the postcode, else by point in polygon, else null. */
  readonly district: number | null;
  readonly starts_on: string | null;
  readonly ends_on: string | null;
  /** Both dates are there, and the start is not after the end. */
  readonly has_usable_dates: boolean;
  /** Of its outlines; null without any. */
  readonly area_m2: number | null;
  readonly lon: number | null;
  readonly lat: number | null;
  /** Outer rings as JSON. */
  readonly outlines: string;
}

interface PublishedWork {
  readonly id: string | null;
  readonly postcode: string | null;
  readonly typology: string | null;
  readonly purpose: string | null;
  readonly streets: string | null;
  readonly starts_on: string | null;
  readonly ends_on: string | null;
  readonly impact: string | null;
  readonly level: string | null;
  readonly status: string | null;
  readonly shape: string | null;
  readonly point: string | null;
}

const PUBLISHED = [
  ...(['id', 'postcode', 'typology', 'purpose', 'streets', 'starts_on', 'ends_on'] as const),
  ...(['impact', 'level', 'status', 'shape', 'point'] as const),
];

const districtsOf = new DistrictsCache();

/** Works of the slice, whether active on the day or not. */
export const transformWorks = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const slice = inputOf(unit, 'chantiers');
  const published =
    slice === undefined
      ? []
      : await readPublished<PublishedWork>(sql, slice.path, WORK_COLUMNS, PUBLISHED);
  const districts = await districtsOf.of(sql, unit);
  const works = published
    .map((work) => workOf(work, districts))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const rows = works.map((work) => WORK_TABLE.map(({ name }) => work[name]));
  const core = await writeParquetRows(sql, WORK_TABLE, rows, `works-${unit.scope}`);
  const doubled = works.filter(
    ({ work_id: id }, index) => works.findIndex((work) => work.work_id === id) !== index,
  );
  const undated = works.filter(({ has_usable_dates: usable }) => !usable);
  return {
    outputs: { core },
    checks: [
      checkResult(
        UNIQUE,
        works.length,
        doubled.map(({ work_id }) => ({ work_id })),
      ),
      checkResult(
        DATED,
        works.length,
        undated.map(({ work_id, starts_on, ends_on }) => ({ work_id, starts_on, ends_on })),
      ),
      checkResult(
        PLACED,
        works.length,
        works.filter(({ postcode }) => postcode === null).map(({ work_id }) => ({ work_id })),
      ),
      ...lostColumns(
        slice === undefined ? [] : [await columnsOf(sql, slice.path, WORKS, 'chantiers')],
      ),
    ],
    facts: { rows: works.length, districts: districts.length },
  };
}

function sortKey(work: Work): string {
  return `${work.work_id} ${JSON.stringify(work)}`;
}

function workOf(published: PublishedWork, districts: readonly District[]): Work {
  const [startsOn, endsOn] = [dateOf(published.starts_on), dateOf(published.ends_on)];
  const position: Position | null = positionOfText(published.point);
  const outlines = outlinesOfText(published.shape).map((ring) =>
    ring.map(([lon, lat]) => [degrees(lon), degrees(lat)]),
  );
  return {
    work_id: published.id ?? '',
    typology: published.typology,
    streets: published.streets,
    purpose: published.purpose,
    impact: published.impact,
    level: published.level,
    status: published.status,
    postcode: published.postcode,
    district: districtOfPostcode(published.postcode) ?? districtAt(districts, position),
    starts_on: startsOn,
    ends_on: endsOn,
    has_usable_dates: startsOn !== null && endsOn !== null && startsOn <= endsOn,
    area_m2: areaM2(published.shape),
    lon: position === null ? null : degrees(position[0]),
    lat: position === null ? null : degrees(position[1]),
    outlines: JSON.stringify(outlines),
  };
}

function dateOf(text: string | null): string | null {
  const date = text?.slice(0, 10);
  return date !== undefined && isCivilDate(date) ? date : null;
}

/** `75001`–`75020`, and 75116, the second postcode of the 16th. */
export function districtOfPostcode(postcode: string | null): number | null {
  const number = Number(matchOf(/^75(?:0|1)(\d\d)$/, postcode?.trim())?.[1]);
  return number >= 1 && number <= 20 ? number : null;
}
