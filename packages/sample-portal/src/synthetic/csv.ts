import { describeFields, NUMERIC, numericColumns } from './columns.ts';
import { QUARTER_MS, wallQuarters } from './paris-days.ts';
import type { RowModel } from './rows.ts';
import { createRowModel, EMPTY } from './rows.ts';
import type { RowSite, SyntheticView } from './view.ts';
import { natureOf, rowSites, rowState } from './view.ts';

/** How an export is written. */
export interface CsvFormat {
  /** One ASCII character. */
  readonly delimiter: string;
  /** Zone of the instants only: the columns `date` and `heure` are always Paris local time. */
  readonly zone: 'Europe/Paris' | 'UTC';
  /** French labels instead of short names in the header. */
  readonly labels: boolean;
  /** Whether the file begins with a byte order mark. */
  readonly bom: boolean;
}

const CHUNK_BYTES = 64 * 1024;
/**
 * Above the longest row: 100 bytes of identity and 36 numbers of at most 8 bytes with their
 * delimiters.
 */
const ROW_BYTES = 512;
const ZERO = 48;
const MINUS = 45;
const NEWLINE = 10;

/**
 * Bytes being filled; digits are written by hand because formatting through strings costs most of
 * the time of an export.
 */
interface Page {
  readonly bytes: Buffer;
  length: number;
}

function newPage(): Page {
  return { bytes: Buffer.allocUnsafe(CHUNK_BYTES), length: 0 };
}

function writeInteger(page: Page, value: number): void {
  const { bytes } = page;
  let rest = value;
  if (rest < 0) {
    bytes[page.length++] = MINUS;
    rest = -rest;
  }
  let digits = 1;
  for (let limit = 10; rest >= limit; limit *= 10) digits++;
  for (let place = page.length + digits - 1; place >= page.length; place--) {
    const tens = (rest / 10) | 0;
    bytes[place] = ZERO + rest - tens * 10;
    rest = tens;
  }
  page.length += digits;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Local time as `hh:mm`. */
function clockText(quarters: number): string {
  const hour = quarters >> 2;
  return `${twoDigits(hour)}:${twoDigits((quarters & 3) * 15)}`;
}

/** The instant of a row as the portal prints it: whole seconds and the offset of the zone. */
function instantText({ day, quarter }: RowSite, zone: CsvFormat['zone']): string {
  if (zone === 'UTC') return `${new Date(quarter * QUARTER_MS).toISOString().slice(0, 19)}+00:00`;
  const offset = quarter < day.changesAt ? day.firstOffset : day.lastOffset;
  return `${day.text}T${clockText(wallQuarters(day, quarter))}:00+0${offset / 4}:00`;
}

/** The five identifying values of a row. */
export function identityOf(
  view: SyntheticView,
  site: RowSite,
  zone: CsvFormat['zone'],
): readonly string[] {
  const { day } = site;
  return [
    'France',
    natureOf(view, day.number),
    day.text,
    clockText(site.localMinutes / 15),
    instantText(site, zone),
  ];
}

/** The values of one row. */
export function fillRow(
  row: Int32Array,
  model: RowModel,
  view: SyntheticView,
  site: RowSite,
): void {
  const state = rowState(view, site);
  model.fill(row, site.day, site.source, state);
}

function writeHeader(page: Page, view: SyntheticView, format: CsvFormat): void {
  const fields = describeFields(view.dataset, view.publication.layout);
  const names = fields
    .map((field) => (format.labels ? field.label : field.name))
    .join(format.delimiter);
  page.length += page.bytes.write(`${format.bom ? '\u{FEFF}' : ''}${names}\n`, page.length);
}

/**
 * The CSV of a view, LF line ends, in chunks of at most 64 KiB; deterministic, so a part of it can
 * be asked again later.
 */
export function* syntheticCsv(
  view: SyntheticView,
  format: CsvFormat,
): Generator<Uint8Array, void, undefined> {
  const model = createRowModel(view.seed);
  const columns = numericColumns(view.publication.layout);
  const delimiter = format.delimiter.charCodeAt(0);
  const row = new Int32Array(NUMERIC.length);
  let page = newPage();
  writeHeader(page, view, format);
  for (const site of rowSites(view)) {
    if (page.length > CHUNK_BYTES - ROW_BYTES) {
      yield page.bytes.subarray(0, page.length);
      page = newPage();
    }
    page.length += page.bytes.write(
      identityOf(view, site, format.zone).join(format.delimiter),
      page.length,
    );
    fillRow(row, model, view, site);
    for (const column of columns) {
      page.bytes[page.length++] = delimiter;
      const value = row[column] ?? EMPTY;
      if (value !== EMPTY) writeInteger(page, value);
    }
    page.bytes[page.length++] = NEWLINE;
  }
  yield page.bytes.subarray(0, page.length);
}
