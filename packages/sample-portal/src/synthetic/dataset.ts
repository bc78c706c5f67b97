import { PortalError } from '../portal-error.ts';
import { odsqlRefusal } from '../answer.ts';
import type { DatasetState, PortalDataset, RecordPage, Selection } from '../dataset.ts';
import type { Comparison } from '../odsql.ts';
import type { SyntheticDatasetId } from './columns.ts';
import { describeFields, NUMERIC, numericColumns } from './columns.ts';
import type { CsvFormat } from './csv.ts';
import { fillRow, identityOf, syntheticCsv } from './csv.ts';
import { dayNumber, offsetQuarters, parisDay, parisDayNumberAt, QUARTER_MS } from './paris-days.ts';
import type { SyntheticOptions } from './publication.ts';
import { publicationAt } from './publication.ts';
import { createRowModel, EMPTY } from './rows.ts';
import type { DayRevision, SyntheticView } from './view.ts';
import { contentKey, countRows, rowSites } from './view.ts';

const TITLES: Readonly<Record<SyntheticDatasetId, string>> = {
  'eco2mix-national-tr': 'Données éCO2mix nationales temps réel',
  'eco2mix-national-cons-def': 'Données éCO2mix nationales consolidées et définitives',
};

/** The instant, in quarters, that a literal stands for when compared with `date_heure`. */
function literalQuarter({ value }: Comparison, zone: CsvFormat['zone']): number {
  if (value.instant !== undefined) return value.instant / QUARTER_MS;
  if (value.naive === undefined) {
    const day = dayNumber(value.date);
    return zone === 'UTC' ? day * 96 : parisDay(day).firstQuarter;
  }
  const quarter = value.naive / QUARTER_MS;
  return zone === 'UTC' ? quarter : quarter - offsetQuarters(quarter - 4);
}

/**
 * A range of integers `[from, to]` cut down to what a comparison leaves of it; `at` may lie between
 * two of them.
 */
function narrow(
  range: readonly [number, number],
  { operator }: Comparison,
  at: number,
): [number, number] {
  const [from, to] = range;
  switch (operator) {
    case '=':
      return [Math.max(from, Math.ceil(at)), Math.min(to, Math.floor(at))];
    case '>=':
      return [Math.max(from, Math.ceil(at)), to];
    case '>':
      return [Math.max(from, Math.floor(at) + 1), to];
    case '<=':
      return [from, Math.min(to, Math.floor(at))];
    case '<':
      return [from, Math.min(to, Math.ceil(at) - 1)];
  }
}

/** The part of a view that a request selects. */
export function clip(
  view: SyntheticView,
  where: readonly Comparison[],
  zone: CsvFormat['zone'],
): SyntheticView {
  let days: [number, number] = [view.publication.firstDay, view.publication.lastDay];
  let quarters: [number, number] = [-Infinity, Infinity];
  for (const comparison of where) {
    if (comparison.field === 'date')
      days = narrow(days, comparison, dayNumber(comparison.value.date));
    else if (comparison.field === 'date_heure')
      quarters = narrow(quarters, comparison, literalQuarter(comparison, zone));
    else throw odsqlRefusal(`Unknown field: ${comparison.field}`);
  }
  if (quarters[1] < quarters[0]) return { ...view, days: [0, -1] };
  if (Number.isFinite(quarters[0]))
    days[0] = Math.max(days[0], parisDayNumberAt(quarters[0] * QUARTER_MS));
  if (Number.isFinite(quarters[1]))
    days[1] = Math.min(days[1], parisDayNumberAt(quarters[1] * QUARTER_MS));
  return { ...view, days, window: [quarters[0], quarters[1] + 1] };
}

function page(
  view: SyntheticView,
  offset: number,
  limit: number,
  zone: CsvFormat['zone'],
): RecordPage {
  const model = createRowModel(view.seed);
  const columns = numericColumns(view.publication.layout);
  const names = describeFields(view.dataset, view.publication.layout).map((field) => field.name);
  const values = new Int32Array(NUMERIC.length);
  const rows: Record<string, string | number | null>[] = [];
  let position = 0;
  for (const site of rowSites(view)) {
    if (rows.length >= limit) break;
    if (position++ < offset) continue;
    fillRow(values, model, view, site);
    const numbers = columns.map((column) =>
      values[column] === EMPTY ? null : (values[column] ?? null),
    );
    const cells = [...identityOf(view, site, zone), ...numbers];
    rows.push(Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null])));
  }
  return { total: countRows(view), rows };
}

function selectionOf(view: SyntheticView): Selection {
  return {
    contentKey: () => Promise.resolve(contentKey(view)),
    csv: (format) => syntheticCsv(view, format),
    records: (offset, limit, zone) => Promise.resolve(page(view, offset, limit, zone)),
  };
}

/** A view of everything that a dataset shows at a moment. */
export function wholeView(
  dataset: SyntheticDatasetId,
  seed: number,
  now: Date,
  options: SyntheticOptions,
  revisions: readonly DayRevision[],
): SyntheticView {
  const publication = publicationAt(dataset, now, options);
  return {
    dataset,
    seed,
    springDuplicates: options.springDuplicates ?? false,
    publication,
    revisions,
    days: [publication.firstDay, publication.lastDay],
    window: [-Infinity, Infinity],
  };
}

/** The rows of a view between two days, both included. */
export function daysOf(view: SyntheticView, from: string, to: string): SyntheticView {
  return { ...view, days: [dayNumber(from), dayNumber(to)] };
}

/**
 * One of the two eCO2mix datasets, made up; what it shows follows from the seed, the clock and its
 * revisions alone.
 */
export function createSyntheticDataset(
  id: SyntheticDatasetId,
  seed: number,
  options: SyntheticOptions,
): PortalDataset {
  let revisions: readonly DayRevision[] = [];
  let revisedAt = -Infinity;
  const processedAt = (now: Date): number =>
    Math.max(publicationAt(id, now, options).processedAt, revisedAt);
  return {
    id,
    title: TITLES[id],
    modified: new Date('2021-05-18T13:02:11Z'),
    state(now): Promise<DatasetState> {
      const whole = wholeView(id, seed, now, options, revisions);
      return Promise.resolve({
        processedAt: new Date(processedAt(now)),
        fields: describeFields(id, whole.publication.layout),
        countRecords: () => Promise.resolve(countRows(whole)),
        select: (where, zone) => selectionOf(clip(whole, where, zone)),
      });
    },
    revise({ from, to, salt }, now) {
      const revision = { from: dayNumber(from), to: dayNumber(to), salt };
      if (revision.to < revision.from) {
        throw new PortalError(
          'INPUT_INVALID',
          `A revision of ${id} ends (${to}) before it starts (${from}): swap them.`,
        );
      }
      revisions = [...revisions, revision];
      // It must be later than every time already told, also when the clock of a test stands still.
      revisedAt = Math.max(processedAt(now) + 1_000, Math.floor(now.getTime() / 1_000) * 1_000);
    },
  };
}
