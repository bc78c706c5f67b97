import {
  bikePage,
  bikeRecord,
  countLine,
  countsCsv,
  DISTRICTS,
  disruption,
  networkCsv,
  SHAPE,
  weatherAnswer,
  WORK_HEADER,
} from '../cityflow/made-data.ts';
import {
  RAIL_HEADER,
  railRows,
  SERVICE_HEADER,
  serviceRow,
  SURFACE_HEADER,
  surfaceRows,
  table,
} from '../cityflow/transport-data.ts';
import { constantRows, portalCsv } from '../eco2mix/portal-csv.ts';

const DAY = '2025-11-04';
const NUL = '\u{0}';

/** A good small file of every dialect that is taken in, by its name. */
export interface GoodFile {
  readonly pipeline: string;
  readonly name: string;
  readonly text: string;
  readonly delimiter?: string;
}

function yearly(): string {
  const rows = Array.from({ length: 96 }, (_, quarter) => {
    const clock = [Math.floor(quarter / 4), (quarter % 4) * 15]
      .map((part) => String(part).padStart(2, '0'))
      .join(':');
    return `04/11/2018;${clock};${quarter % 2 === 0 ? 60_000 : ''}`;
  });
  return ['Date;Heures;Consommation', ...rows, ''].join('\n');
}

function rteTable(): string {
  const rows = Array.from({ length: 96 }, (_, quarter) => {
    const clock = [Math.floor(quarter / 4), (quarter % 4) * 15]
      .map((part) => String(part).padStart(2, '0'))
      .join(':');
    return ['France', 'Données temps réel', '2016-06-01', clock, '60000', '59000', ''].join('\t');
  });
  return [
    ['Périmètre', 'Nature', 'Date', 'Heures', 'Consommation', 'Prévision J-1'].join('\t'),
    ...rows,
    '',
  ].join('\n');
}

const WORKS = `${WORK_HEADER}\nCP1;75001;1;x;2025-10-01;2025-12-31;RESTREINTE;2;;48.86, 2.30\nCP2;75001;1;x;2025-10-01;2025-12-31;RESTREINTE;2;;48.86, 2.30\n`;
const LINES = [6, 7, 8].map((hour) => countLine(DAY, { arc: '7', hour, q: 100, k: 5 }));

export const GOOD_FILES: readonly GoodFile[] = [
  {
    pipeline: 'eco2mix',
    name: 'portal.csv',
    text: portalCsv(DAY, constantRows(DAY, 15, { consommation: 60_000 }), ['consommation']),
    delimiter: ';',
  },
  { pipeline: 'eco2mix', name: 'rte.xls', text: rteTable(), delimiter: '\t' },
  { pipeline: 'eco2mix', name: 'annual.csv', text: yearly(), delimiter: ';' },
  { pipeline: 'cityflow', name: 'counts.csv', text: countsCsv(LINES), delimiter: ';' },
  { pipeline: 'cityflow', name: 'works-2025-11-04.csv', text: WORKS, delimiter: ';' },
  {
    pipeline: 'cityflow',
    name: 'network.csv',
    text: networkCsv([
      { arc: '1', shape: SHAPE },
      { arc: '2', shape: SHAPE },
    ]),
    delimiter: ';',
  },
  { pipeline: 'cityflow', name: 'districts.geojson', text: DISTRICTS },
  {
    pipeline: 'cityflow',
    name: 'bikes.json',
    text: bikePage([bikeRecord({ counter: '7', at: `${DAY}T08:00:00+01:00`, bikes: 3 })]),
  },
  {
    pipeline: 'cityflow',
    name: `raw/api/traffic/dt=${DAY}/hour=08/traffic_data.json`,
    text: JSON.stringify({
      disruptions: [
        disruption({
          id: 'd1',
          line: 'M1',
          periods: [['20251104T050000', '20251104T230000']],
        } as never),
      ],
    }),
  },
  { pipeline: 'cityflow', name: 'weather.json', text: weatherAnswer(DAY, { tempmax: 10 }) },
  {
    pipeline: 'cityflow',
    name: 'validations.csv',
    text: table(
      SURFACE_HEADER,
      surfaceRows(DAY, { 'Forfait Navigo': 1_234, 'Imagine R': 'Moins de 5' }),
    ),
    delimiter: ';',
  },
  {
    pipeline: 'cityflow',
    name: 'validations-rail.csv',
    text: table(RAIL_HEADER, railRows(DAY, { 'Forfaits courts': 12_487, Amethyste: 73 })),
    delimiter: ';',
  },
  {
    pipeline: 'cityflow',
    name: 'service.csv',
    text: table(
      SERVICE_HEADER,
      ['97.5', '94.5'].map((result) => serviceRow({ quarter: 'T4', year: 2025, result })),
    ),
    delimiter: ';',
  },
];

/**
 * Answers of publishers in dialects that `GOOD_FILES` has under another part or by another
 * publisher.
 */
export const GOOD_ANSWERS: readonly GoodFile[] = [
  {
    pipeline: 'eco2mix',
    name: 'consolidated.csv',
    text: portalCsv(DAY, constantRows(DAY, 30, { consommation: 60_000 }, 'Données consolidées'), [
      'consommation',
    ]),
    delimiter: ';',
  },
  {
    pipeline: 'cityflow',
    name: 'open-meteo.json',
    text: JSON.stringify({
      daily: {
        time: [DAY],
        temperature_2m_max: [15.6],
        temperature_2m_min: [7.3],
        precipitation_sum: [0],
      },
      hourly: { time: [`${DAY}T00:00`], temperature_2m: [8], precipitation: [0] },
    }),
  },
];

export interface Damage {
  readonly title: string;
  /** Undefined: the damage means nothing for this dialect. */
  readonly apply: (file: GoodFile) => string | Uint8Array | undefined;
}

const THE_ROW = /\bline 2\b|its last row has/;

/** In every table by line and column; in JSON, which may be one line, by the record itself. */
const UNREADABLE =
  /such as "yesterday[^"]*" in line 2, column "[^"]+"|in a record; it is .*yesterday|"yesterday" is not a date/;

/**
 * How a refusal says where the damage is, by title: the line, the row itself, or the column. Other
 * damages concern the file as a whole.
 */
export const PLACES: Readonly<Record<string, RegExp>> = {
  'cut in its last row':
    /its last row has \d+ of \d+ fields: "|\bline \d+\b|ends inside a JSON document \(\d+ characters\)/,
  'a row with a cell less': THE_ROW,
  'a row with a cell more': THE_ROW,
  'an open quote': THE_ROW,
  'an unreadable time': UNREADABLE,
  'one unreadable time': UNREADABLE,
  'a column without a name': /a column without a name, number 2\b/,
  'two columns of one name': /two columns called "[^"]+"/,
  'cut JSON': /ends inside a JSON document \(37 characters\)|It begins with "/,
};

const tables =
  (change: (lines: string[], file: GoodFile) => string[]): Damage['apply'] =>
  (file) =>
    file.delimiter === undefined ? undefined : change(file.text.split('\n'), file).join('\n');

export const DAMAGES: readonly Damage[] = [
  { title: 'empty', apply: () => '' },
  { title: 'white space alone', apply: () => ' \n\n\t\n' },
  { title: 'a header alone', apply: tables((lines) => [lines[0]!, '']) },
  {
    title: 'half a header',
    apply: ({ text, delimiter }) => (delimiter === undefined ? undefined : text.slice(0, 9)),
  },
  {
    title: 'everything in one line',
    apply: tables((lines) => [lines.join(' ').replaceAll('\r', ' ')]),
  },
  { title: 'cut in its last row', apply: ({ text }) => text.slice(0, text.trimEnd().length - 6) },
  {
    title: 'a row with a cell less',
    apply: tables(([head, row, ...rest], { delimiter }) => [
      head!,
      row!.split(delimiter!).slice(1).join(delimiter),
      ...rest,
    ]),
  },
  {
    title: 'a row with a cell more',
    apply: tables(([head, row, ...rest], { delimiter }) => [
      head!,
      `x${delimiter!}y${delimiter!}${row!}`,
      ...rest,
    ]),
  },
  { title: 'an open quote', apply: tables(([head, row, ...rest]) => [head!, `"${row!}`, ...rest]) },
  {
    title: 'a NUL in a row',
    apply: ({ text }) => text.slice(0, text.length / 2) + NUL + text.slice(text.length / 2),
  },
  { title: 'UTF-16', apply: ({ text }) => Buffer.from(`\u{FEFF}${text}`, 'utf16le') },
  {
    title: 'a huge line',
    apply: tables(([head, row, ...rest]) => [head!, `${row!}${'x'.repeat(3_000_000)}`, ...rest]),
  },
  { title: 'gzip', apply: () => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]) },
  { title: 'ZIP', apply: () => 'PK\u{3}\u{4}….' },
  { title: 'an HTML page', apply: () => '<!DOCTYPE html><html><body>503</body></html>' },
  { title: 'a JSON error', apply: () => '{"error_code": "ODSQLError", "message": "bad"}' },
  { title: 'a list of numbers', apply: () => '[1, 2, 3]' },
  { title: 'cut JSON', apply: () => '{"results": [{"id_compteur": "7", "da' },
  {
    title: 'a git-LFS pointer',
    apply: () => 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
  },
  { title: 'Parquet', apply: () => 'PAR1....PAR1' },
  { title: 'another table', apply: () => 'id;name\n1;x\n2;y\n' },
  {
    title: 'a column without a name',
    apply: tables(([head, ...rest], { delimiter }) => [
      head!.replace(delimiter!, `${delimiter!}${delimiter!}`),
      ...rest,
    ]),
  },
  {
    title: 'two columns of one name',
    apply: tables(([head, ...rest], { delimiter }) => {
      const names = head!.split(delimiter!);
      return [[names[1], ...names.slice(1)].join(delimiter), ...rest];
    }),
  },
  {
    title: 'an unreadable time',
    apply: ({ text }) =>
      text.replace(/20\d\d-\d\d-\d\d/g, 'yesterday').replace(/\d\d\/\d\d\/20\d\d/g, 'yesterday'),
  },
  {
    title: 'one unreadable time',
    apply: tables(([head, row, ...rest]) => [
      head!,
      row!.replace(/20\d\d-\d\d-\d\d/g, 'yesterday').replace(/\d\d\/\d\d\/20\d\d/g, 'yesterday'),
      ...rest,
    ]),
  },
  {
    title: 'rows of semicolons',
    apply: tables(([head, , ...rest]) => [head!, ';;;;;;;;;;;;;;', ...rest]),
  },
  {
    title: 'bytes that are no text',
    apply: () => Uint8Array.from({ length: 4_000 }, (_, index) => (index * 7_919) % 256),
  },
  { title: 'the file twice', apply: ({ text }) => text + text },
];

const UNDATED_JSON = ['an unreadable time', 'the file twice'];

/** What may be taken in all the same, by file: the damage takes nothing from what is read of it. */
export const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  // A quote means nothing in RTE's tables, and lines without a delimiter are notices.
  'rte.xls': ['an open quote', 'rows of semicolons'],
  // Their last column is a free text of a position; dates that cannot be read are listed by a
  // check.
  'works-2025-11-04.csv': ['cut in its last row', 'an unreadable time', 'one unreadable time'],
  'network.csv': ['an unreadable time', 'one unreadable time'],
  'districts.geojson': UNDATED_JSON,
  // It tells quarters, and no days.
  'service.csv': ['an unreadable time', 'one unreadable time'],
  'bikes.json': ['the file twice'],
  'traffic_data.json': UNDATED_JSON,
  'weather.json': ['the file twice'],
};

/**
 * Words of the SQL engine and of this program's own trouble; no person who gives a file can do
 * anything with them.
 */
export const FOREIGN =
  /\b(Binder|Catalog|Conversion|Invalid Input|Parser|IO) Error|strict_mode|Original Line|read_csv|TypeError|\bat \w+ \(|undefined/;
