import {
  checkResult,
  dayByDay,
  inputOf,
  jsonOutput,
  mapColumns,
  oddColumns,
  parquetSql,
  quoteIdentifier,
  LOST_COLUMNS,
  lostColumns,
  writeParquetRows,
} from '../../kit/index.ts';
import type {
  CheckDefinition,
  ColumnNames,
  ColumnsOf,
  CsvHeader,
  CsvLayout,
  SqlColumn,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { NETWORK, NETWORK_COLUMNS } from '../columns.ts';
import { degrees, districtAt, lineLengthM, linesOfText, middleOf, sectorOf } from '../geometry.ts';
import type { District, Position } from '../geometry.ts';
import { DistrictsCache } from './days.ts';

/**
 * `transform/referentiel`: the published network → one row per arc. An arc may be published in up
 * to six pieces, each a row: its length is the sum of its newest pieces, because the published
 * `SHAPE.LEN` is 0 everywhere and a join by rows would multiply counts.
 */

const ONE_LENGTH: CheckDefinition = {
  id: 'arcs-have-a-length',
  title: 'every arc has a geometry longer than a metre',
  severity: 'warn',
};
const IN_PARIS: CheckDefinition = {
  id: 'arcs-near-paris',
  title: 'every arc lies within 20 km of Notre-Dame',
  severity: 'hold',
};
/** Arcs far from Paris hold the day: lengths and zones would be those of another city. */
export const NETWORK_CHECKS: readonly CheckDefinition[] = [ONE_LENGTH, IN_PARIS, LOST_COLUMNS];

const FURTHEST_M = 20_000;
const NOTRE_DAME: Position = [2.3522, 48.8566];

/** Core table: one row per arc; the columns are those of `NetworkArc`. */
export const NETWORK_TABLE = [
  { name: 'arc_id', type: 'VARCHAR' },
  { name: 'label', type: 'VARCHAR' },
  { name: 'length_m', type: 'DOUBLE' },
  { name: 'pieces', type: 'INTEGER' },
  { name: 'upstream_node', type: 'VARCHAR' },
  { name: 'downstream_node', type: 'VARCHAR' },
  { name: 'available_from', type: 'VARCHAR' },
  { name: 'available_to', type: 'VARCHAR' },
  { name: 'is_open', type: 'BOOLEAN' },
  { name: 'lon', type: 'DOUBLE' },
  { name: 'lat', type: 'DOUBLE' },
  { name: 'district', type: 'INTEGER' },
  { name: 'sector', type: 'VARCHAR' },
  { name: 'geometry', type: 'VARCHAR' },
] as const satisfies readonly SqlColumn[];

/** A row of the core table. */
export interface NetworkArc {
  readonly arc_id: string;
  readonly label: string | null;
  /** Haversine over its lines, metres; 0 without geometry. */
  readonly length_m: number;
  /** Published rows that it was made of. */
  readonly pieces: number;
  readonly upstream_node: string | null;
  readonly downstream_node: string | null;
  readonly available_from: string | null;
  readonly available_to: string | null;
  /** Its data end no earlier than those of the newest arcs. */
  readonly is_open: boolean;
  /** Halfway along the arc; null without geometry. */
  readonly lon: number | null;
  readonly lat: number | null;
  /** 1–20 by point in polygon; null outside, or without districts. */
  readonly district: number | null;
  /** Direction from the centre; null without geometry. */
  readonly sector: string | null;
  /** Its lines as JSON, degrees to six decimals. */
  readonly geometry: string;
}

/** What the light report worker draws from: it has no engine that reads tables. */
export interface NetworkMap {
  readonly schema: 'cityflow.map/1';
  readonly date: string;
  /** The lines of each arc. */
  readonly arcs: Readonly<Record<string, readonly (readonly Position[])[]>>;
  readonly districts: readonly {
    readonly number: number;
    readonly outlines: readonly (readonly Position[])[];
  }[];
}

interface Piece {
  readonly arc: string;
  readonly label: string | null;
  readonly upstream: string | null;
  readonly downstream: string | null;
  readonly available_from: string | null;
  readonly available_to: string | null;
  readonly shape: string | null;
}

const districtsOf = new DistrictsCache();

/**
 * The arcs of the last network: the days of a set share one, and measuring it takes longer than
 * everything else of the step.
 */
let lastArcs: (ReadNetwork & { readonly key: string }) | undefined;

interface ReadNetwork {
  readonly arcs: readonly NetworkArc[];
  readonly pieces: number;
  readonly columns: readonly ColumnsOf[];
}

/** Days that share network and districts are measured once. */
export const transformNetwork = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const districts = await districtsOf.of(sql, unit);
  const { arcs, pieces, columns } = await arcsOfUnit(unit, sql, districts);
  const rows = arcs.map((arc) => NETWORK_TABLE.map(({ name }) => arc[name]));
  const core = await writeParquetRows(sql, NETWORK_TABLE, rows, `network-${unit.scope}`);
  const drawing: NetworkMap = {
    schema: 'cityflow.map/1',
    date: unit.scope,
    arcs: Object.fromEntries(
      arcs.map(({ arc_id: id, geometry }) => [id, JSON.parse(geometry) as Position[][]]),
    ),
    districts: districts.map(({ number, outlines }) => ({
      number,
      outlines: outlines.map(roundedLine),
    })),
  };
  const far = arcs.filter(
    ({ lon, lat }) =>
      lon !== null && lat !== null && lineLengthM([NOTRE_DAME, [lon, lat]]) > FURTHEST_M,
  );
  return {
    outputs: { core, map: { ...jsonOutput(drawing), rows: arcs.length } },
    checks: [
      checkResult(
        ONE_LENGTH,
        arcs.length,
        arcs
          .filter(({ length_m }) => length_m <= 1)
          .map(({ arc_id, label }) => ({ arc_id, label })),
      ),
      checkResult(
        IN_PARIS,
        arcs.length,
        far.map(({ arc_id, lon, lat }) => ({ arc_id, lon, lat })),
      ),
      ...lostColumns(columns),
    ],
    facts: { rows: arcs.length, pieces, districts: districts.length },
  };
}

async function arcsOfUnit(
  unit: StepUnit,
  sql: SqlSession,
  districts: readonly District[],
): Promise<ReadNetwork> {
  const slice = inputOf(unit, 'referentiel');
  if (slice === undefined) return { arcs: [], pieces: 0, columns: [] };
  const key = [slice, inputOf(unit, 'arrondissements')].map((input) => input?.ref.sha256).join(' ');
  if (lastArcs?.key !== key) {
    const pieces = await readPublished<Piece>(sql, slice.path, NETWORK_COLUMNS, PIECE_COLUMNS);
    const columns = [await columnsOf(sql, slice.path, NETWORK, 'referentiel')];
    lastArcs = { key, arcs: arcsOf(pieces, districts), pieces: pieces.length, columns };
  }
  return lastArcs;
}

const PIECE_COLUMNS = [
  'arc',
  'label',
  'upstream',
  'downstream',
  'available_from',
  'available_to',
  'shape',
] as const;

/** How the columns of a slice differ from those that such files usually have. */
export async function columnsOf(
  sql: SqlSession,
  file: string,
  layout: CsvLayout<string>,
  part: string,
): Promise<ColumnsOf> {
  return {
    of: part,
    usual: layout.usual.length,
    ...oddColumns(await headerOf(sql, file, layout.names), layout),
  };
}

async function headerOf(
  sql: SqlSession,
  file: string,
  names: ColumnNames<string>,
): Promise<CsvHeader<string>> {
  const described = await sql.rows<{ column_name: string }>(
    `DESCRIBE SELECT * FROM ${parquetSql(file)}`,
  );
  return mapColumns(
    described.map(({ column_name }) => column_name),
    names,
  );
}

/**
 * The wanted columns of a slice under our own names, whatever dialect it was published in; absent
 * ones are null.
 */
export async function readPublished<Row extends object>(
  sql: SqlSession,
  file: string,
  names: ColumnNames<string>,
  wanted: readonly (keyof Row & string)[],
): Promise<Row[]> {
  const { known } = await headerOf(sql, file, names);
  const columns = wanted.map((name) => {
    const published = known.get(name);
    return `${published === undefined ? 'NULL::VARCHAR' : quoteIdentifier(published)} AS ${quoteIdentifier(name)}`;
  });
  return sql.rows<Row>(`SELECT ${columns.join(', ')} FROM ${parquetSql(file)}`);
}

/** Sorted by id; an arc with several published rows has the sum of its newest pieces. */
export function arcsOf(pieces: readonly Piece[], districts: readonly District[]): NetworkArc[] {
  const byArc = new Map<string, Piece[]>();
  for (const piece of pieces) byArc.set(piece.arc, [...(byArc.get(piece.arc) ?? []), piece]);
  const newestEnd = pieces.reduce(
    (newest, { available_to: end }) => (end !== null && end > newest ? end : newest),
    '',
  );
  return [...byArc.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([arc, list]) => arcOf(arc, list, newestEnd, districts));
}

function arcOf(
  arc: string,
  pieces: readonly Piece[],
  newestEnd: string,
  districts: readonly District[],
): NetworkArc {
  const ends = pieces
    .map(({ available_to: end }) => end)
    .filter((end) => end !== null && end !== '');
  const end = ends.sort().at(-1) ?? null;
  // Earlier drawings of the same arc are not parts of it.
  const current = pieces.filter((piece) => piece.available_to === end);
  const [first] = current;
  const lines = uniqueLines(current.flatMap(({ shape }) => linesOfText(shape)));
  const middle = middleOf(lines);
  return {
    arc_id: arc,
    label: first?.label ?? null,
    length_m: Math.round(lines.reduce((sum, line) => sum + lineLengthM(line), 0) * 1000) / 1000,
    pieces: current.length,
    upstream_node: first?.upstream ?? null,
    downstream_node: first?.downstream ?? null,
    available_from: first?.available_from ?? null,
    available_to: end,
    is_open: (end ?? newestEnd) >= newestEnd,
    lon: middle?.[0] ?? null,
    lat: middle?.[1] ?? null,
    district: districtAt(districts, middle),
    sector: middle === null ? null : sectorOf(middle),
    geometry: JSON.stringify(lines.map(roundedLine)),
  };
}

function roundedLine(line: readonly Position[]): Position[] {
  return line.map(([lon, lat]) => [degrees(lon), degrees(lat)]);
}

/** Lines that are drawn once: coordinates of one line vary in the 15th digit between files. */
function uniqueLines(lines: readonly Position[][]): Position[][] {
  return [...new Map(lines.map((line) => [JSON.stringify(roundedLine(line)), line])).values()];
}
