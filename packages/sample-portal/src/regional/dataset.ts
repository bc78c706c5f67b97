import { PortalError } from '../portal-error.ts';
import type {
  CsvFormat,
  DatasetState,
  FieldDescription,
  PortalDataset,
  RecordPage,
  Selection,
} from '../dataset.ts';
import type { SyntheticDatasetId } from '../synthetic/columns.ts';
import { NUMERIC } from '../synthetic/columns.ts';
import { fillRow, identityOf } from '../synthetic/csv.ts';
import { clip, wholeView } from '../synthetic/dataset.ts';
import { dayNumber } from '../synthetic/paris-days.ts';
import type { SyntheticOptions } from '../synthetic/publication.ts';
import { createRowModel } from '../synthetic/rows.ts';
import type { RowModel } from '../synthetic/rows.ts';
import type { DayRevision, RowSite, SyntheticView } from '../synthetic/view.ts';
import { contentKey, countRows, rowSites } from '../synthetic/view.ts';
import {
  BIOENERGY,
  divide,
  LATER_COLUMNS,
  LOAD_COLUMN,
  percent,
  PUMPING,
  SAMPLE_REGIONS,
  SOURCE_COLUMNS,
} from './shares.ts';

/**
 * The two regional eCO2mix datasets, made up: the made-up mainland divided into its regions, so
 * that both tell of one world. Rows come twelve by twelve; the consolidated dataset has half-hours
 * alone.
 */
export type RegionalDatasetId = 'eco2mix-regional-tr' | 'eco2mix-regional-cons-def';

const NATIONAL: Readonly<Record<RegionalDatasetId, SyntheticDatasetId>> = {
  'eco2mix-regional-tr': 'eco2mix-national-tr',
  'eco2mix-regional-cons-def': 'eco2mix-national-cons-def',
};
const TITLES: Readonly<Record<RegionalDatasetId, string>> = {
  'eco2mix-regional-tr': 'Données éCO2mix régionales temps réel',
  'eco2mix-regional-cons-def': 'Données éCO2mix régionales consolidées et définitives',
};

const FIRST_DAY = '2013-01-01';
/** Coverage rates and load factors are published from this year on. */
const RATES_SINCE = 2020;

const RATED = [...SOURCE_COLUMNS, BIOENERGY];
const POWERS = [LOAD_COLUMN, ...SOURCE_COLUMNS, PUMPING, BIOENERGY];

const FIELDS: readonly FieldDescription[] = [
  { name: 'code_insee_region', label: 'Code INSEE région', type: 'text' },
  { name: 'libelle_region', label: 'Région', type: 'text' },
  { name: 'nature', label: 'Nature', type: 'text' },
  { name: 'date', label: 'Date', type: 'date' },
  { name: 'heure', label: 'Heure', type: 'text' },
  { name: 'date_heure', label: 'Date - Heure', type: 'datetime' },
  ...POWERS.map(({ name, label }): FieldDescription => ({ name, label, type: 'int' })),
  { name: 'ech_physiques', label: 'Ech. physiques (MW)', type: 'int' },
  ...LATER_COLUMNS.map(({ name, label }): FieldDescription => ({ name, label, type: 'int' })),
  ...RATED.flatMap(({ name, label }): FieldDescription[] => {
    const source = label.replace(' (MW)', '');
    return [
      { name: `tco_${name}`, label: `TCO ${source} (%)`, type: 'double' },
      { name: `tch_${name}`, label: `TCH ${source} (%)`, type: 'double' },
    ];
  }),
  { name: 'column_30', label: 'Column 30', type: 'text' },
];

type Cell = string | number | null;

/** The rows of all regions at an instant, in the order of the fields. */
function* rowsAt(
  row: Int32Array,
  site: RowSite,
  identity: readonly string[],
): Generator<readonly Cell[]> {
  const [, ...when] = identity;
  const powers = POWERS.map((column) => divide(column, row));
  const later = LATER_COLUMNS.map((column) => divide(column, row));
  for (const [index, { code, name }] of SAMPLE_REGIONS.entries()) {
    const own = powers.map((values) => values[index] ?? null);
    const [load = null, ...supply] = own;
    const batteries = later.slice(0, 2).map((values) => values[index] ?? 0);
    const exchange =
      (load ?? 0) - [...supply, ...batteries].reduce<number>((sum, value) => sum + (value ?? 0), 0);
    const rates = RATED.flatMap((column) => {
      const mw = own[POWERS.indexOf(column)] ?? null;
      if (site.day.year < RATES_SINCE) return [null, null];
      const installed = ((column.capacityMw ?? 0) * (column.shares[index] ?? 0)) / 1_000;
      return [percent(mw, load ?? 0), percent(mw, installed)];
    });
    yield [
      code,
      name,
      ...when,
      ...own,
      exchange,
      ...later.map((values) => values[index] ?? null),
      ...rates,
      null,
    ];
  }
}

function* rowsOf(
  id: RegionalDatasetId,
  view: SyntheticView,
  zone: CsvFormat['zone'],
): Generator<readonly Cell[]> {
  const model: RowModel = createRowModel(view.seed);
  const row = new Int32Array(NUMERIC.length);
  for (const site of rowSites(view)) {
    if (isHalfHourly(id) && site.quarter % 2 !== 0) continue;
    fillRow(row, model, view, site);
    yield* rowsAt(row, site, identityOf(view, site, zone));
  }
}

function isHalfHourly(id: RegionalDatasetId): boolean {
  return id === 'eco2mix-regional-cons-def';
}

const CHUNK_CHARACTERS = 64 * 1024;

function* csvOf(
  id: RegionalDatasetId,
  view: SyntheticView,
  format: CsvFormat,
): Generator<Uint8Array> {
  const names = FIELDS.map(({ name, label }) => (format.labels ? label : name));
  let text = `${format.bom ? '\u{FEFF}' : ''}${names.join(format.delimiter)}\n`;
  for (const row of rowsOf(id, view, format.zone)) {
    text += `${row.join(format.delimiter)}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  yield Buffer.from(text, 'utf8');
}

function pageOf(
  id: RegionalDatasetId,
  view: SyntheticView,
  slice: readonly [number, number],
  zone: CsvFormat['zone'],
): RecordPage {
  const rows: Record<string, Cell>[] = [];
  let total = 0;
  for (const row of rowsOf(id, view, zone)) {
    if (total >= slice[0] && rows.length < slice[1])
      rows.push(Object.fromEntries(FIELDS.map(({ name }, index) => [name, row[index] ?? null])));
    total += 1;
  }
  return { total, rows };
}

function selectionOf(id: RegionalDatasetId, view: SyntheticView): Selection {
  return {
    contentKey: () => Promise.resolve(`${id}|${contentKey(view)}`),
    csv: (format) => csvOf(id, view, format),
    records: (offset, limit, zone) => Promise.resolve(pageOf(id, view, [offset, limit], zone)),
  };
}

/** What is measured: there are no rows of quarters to come. */
function measured(view: SyntheticView): SyntheticView {
  const [from, to] = view.window;
  return { ...view, window: [from, Math.min(to, view.publication.measuredUntil)] };
}

/**
 * One of the two datasets; what it shows follows from the seed, the clock and its revisions alone.
 */
export function createRegionalDataset(
  id: RegionalDatasetId,
  seed: number,
  options: SyntheticOptions,
): PortalDataset {
  let revisions: readonly DayRevision[] = [];
  let revisedAt = -Infinity;
  const whole = (now: Date): SyntheticView => {
    const view = wholeView(NATIONAL[id], seed, now, options, revisions);
    const firstDay = Math.max(view.publication.firstDay, dayNumber(FIRST_DAY));
    return {
      ...view,
      publication: { ...view.publication, firstDay },
      days: [firstDay, view.days[1]],
    };
  };
  const processedAt = (now: Date): number =>
    Math.max(whole(now).publication.processedAt, revisedAt);
  return {
    id,
    title: TITLES[id],
    modified: new Date('2021-05-18T13:02:11Z'),
    state(now): Promise<DatasetState> {
      const view = whole(now);
      const instants = countRows(measured(view)) / (isHalfHourly(id) ? 2 : 1);
      return Promise.resolve({
        processedAt: new Date(processedAt(now)),
        fields: FIELDS,
        countRecords: () => Promise.resolve(Math.floor(instants) * SAMPLE_REGIONS.length),
        select: (where, zone) => selectionOf(id, measured(clip(view, where, zone))),
      });
    },
    revise({ from, to, salt }, now) {
      const revision = { from: dayNumber(from), to: dayNumber(to), salt };
      if (revision.to < revision.from)
        throw new PortalError(
          'INPUT_INVALID',
          `A revision of ${id} ends (${to}) before it starts (${from}): swap them.`,
        );
      revisions = [...revisions, revision];
      revisedAt = Math.max(processedAt(now) + 1_000, Math.floor(now.getTime() / 1_000) * 1_000);
    },
  };
}
