import type { SyntheticDatasetId } from './columns.ts';
import type { LoadDay } from './load.ts';
import { loadDay } from './load.ts';
import { clamp, hash, seriesKey } from './noise.ts';
import type { ParisDay } from './paris-days.ts';
import { dayText, parisDay, wallQuarters } from './paris-days.ts';
import type { Publication } from './publication.ts';
import type { RowState } from './rows.ts';

/**
 * How many ascending runs an export is made of, as measured on real ones: the portal concatenates
 * its index shards.
 */
const SHARDS: Readonly<Record<SyntheticDatasetId, number>> = {
  'eco2mix-national-tr': 6,
  'eco2mix-national-cons-def': 11,
};

/** A change that the publisher made to the days `[from, to]` (Paris day numbers) of a dataset. */
export interface DayRevision {
  readonly from: number;
  readonly to: number;
  readonly salt: number;
}

/**
 * An immutable selection of what a dataset shows: `days` is `[from, to]`, `window` is `[from, to)`
 * in quarters. Everything that decides its rows is in here, so two equal views have equal bytes.
 */
export interface SyntheticView {
  readonly dataset: SyntheticDatasetId;
  readonly seed: number;
  readonly springDuplicates: boolean;
  readonly publication: Publication;
  readonly revisions: readonly DayRevision[];
  readonly days: readonly [number, number];
  readonly window: readonly [number, number];
}

/** One row to write: which instant it names, and which one its values come from. */
export interface RowSite {
  day: LoadDay;
  /** The instant of the row. */
  quarter: number;
  /**
   * The instant whose values it carries; differs from `quarter` on two of the four phantom rows of
   * spring.
   */
  source: number;
  /**
   * Local minutes of the day as printed; 120–165 on a phantom although its instant is an hour
   * later.
   */
  localMinutes: number;
}

/** The days of a view that have any row; empty when the second is below the first. */
function publishedDays({ publication, days }: SyntheticView): readonly [number, number] {
  return [Math.max(days[0], publication.firstDay), Math.min(days[1], publication.lastDay)];
}

/** The combined salt of the revisions of a day; 0 when there is none. */
function saltOf(revisions: readonly DayRevision[], day: number): number {
  let salt = 0;
  for (const revision of revisions) {
    if (day >= revision.from && day <= revision.to) salt = hash(salt ^ revision.salt, 1) | 1;
  }
  return salt;
}

/**
 * Each block of N consecutive quarters gives one quarter to each of the N shards, in an order of
 * its own; so an export of a single day has all N runs, and the same order as the day has inside a
 * year.
 */
function shardOf(key: number, quarter: number, shards: number): number {
  const block = Math.floor(quarter / shards);
  const draw = hash(key, block);
  const place = quarter - block * shards;
  return ((draw & 1 ? place : shards - 1 - place) + (draw >>> 1)) % shards;
}

function isSpringChange(day: ParisDay): boolean {
  return day.endQuarter - day.firstQuarter === 92;
}

function* rowsOfDay(
  site: RowSite,
  view: SyntheticView,
  shard: number,
  key: number,
): Generator<RowSite, void, undefined> {
  const { day } = site;
  const shards = SHARDS[view.dataset];
  const end = Math.min(day.endQuarter, view.window[1]);
  const doubled = view.springDuplicates && isSpringChange(day);
  for (let quarter = Math.max(day.firstQuarter, view.window[0]); quarter < end; quarter++) {
    const own = shardOf(key, quarter, shards);
    site.quarter = quarter;
    site.localMinutes = wallQuarters(day, quarter) * 15;
    site.source = quarter;
    if (own === shard) yield site;
    if (
      doubled &&
      (own + 1) % shards === shard &&
      site.localMinutes >= 180 &&
      site.localMinutes < 240
    ) {
      // RTE's files: 02:00 repeats the row of 03:00, 02:30 that of 01:30, one real hour before
      // 03:30.
      site.source = site.localMinutes < 210 ? quarter : quarter - 4;
      site.localMinutes -= 60;
      yield site;
    }
  }
}

function loadDayOf(number: number): LoadDay {
  return loadDay(parisDay(number), parisDay(number - 1), parisDay(number + 1));
}

/**
 * The rows of a view in the order of an export: shard after shard, each ascending. Yields one
 * object, overwritten each time. Memory does not grow with the range: every shard walks all days
 * again and takes only its own rows.
 */
export function* rowSites(view: SyntheticView): Generator<RowSite, void, undefined> {
  const [from, to] = publishedDays(view);
  const key = seriesKey(view.seed, `shards/${view.dataset}`);
  for (let shard = 0; shard < SHARDS[view.dataset]; shard++) {
    for (let number = from; number <= to; number++) {
      const site: RowSite = { day: loadDayOf(number), quarter: 0, source: 0, localMinutes: 0 };
      yield* rowsOfDay(site, view, shard, key);
    }
  }
}

/** What the publication and the revisions make of the row. */
export function rowState(view: SyntheticView, site: RowSite): RowState {
  const { publication, dataset } = view;
  const consolidated = dataset === 'eco2mix-national-cons-def';
  return {
    finality: consolidated ? (site.day.number <= publication.definitiveThrough ? 2 : 1) : 0,
    salt: saltOf(view.revisions, site.day.number),
    // Consolidated load is half-hourly: the rows between have their forecasts only.
    measured: site.quarter < publication.measuredUntil && !(consolidated && site.quarter % 2 !== 0),
    dayAhead: site.quarter < publication.dayAheadUntil,
    sameDay: site.quarter < publication.sameDayUntil,
  };
}

/** The value of the column `nature`. */
export function natureOf({ dataset, publication }: SyntheticView, day: number): string {
  if (dataset === 'eco2mix-national-tr') return 'Données temps réel';
  return day <= publication.definitiveThrough ? 'Données définitives' : 'Données consolidées';
}

/** How many rows a view has, without making them. */
export function countRows(view: SyntheticView): number {
  const [from, to] = publishedDays(view);
  if (to < from) return 0;
  const first = Math.max(parisDay(from).firstQuarter, view.window[0]);
  const end = Math.min(parisDay(to).endQuarter, view.window[1]);
  let rows = Math.max(0, end - first);
  for (let number = from; view.springDuplicates && number <= to; number++) {
    const day = parisDay(number);
    // The phantoms carry the instants of the first four quarters of summer time.
    if (isSpringChange(day))
      rows += Math.max(0, Math.min(end, day.changesAt + 4) - Math.max(first, day.changesAt));
  }
  return rows;
}

/**
 * Text that is equal for two views exactly when their rows are: what is outside the view's days
 * does not show in it, so the ETag of a closed month stands still while the clock moves on.
 */
export function contentKey(view: SyntheticView): string {
  const [from, to] = publishedDays(view);
  const { publication } = view;
  const base = [view.dataset, view.seed, publication.layout, view.springDuplicates];
  if (to < from) return [...base, 'empty'].join('|');
  const first = Math.max(view.window[0], parisDay(from).firstQuarter);
  const end = Math.min(view.window[1], parisDay(to).endQuarter);
  const revisions = view.revisions
    .filter((revision) => revision.from <= to && revision.to >= from)
    .map((revision) =>
      [Math.max(revision.from, from), Math.min(revision.to, to), revision.salt].join(','),
    );
  const frontiers = [
    publication.measuredUntil,
    publication.dayAheadUntil,
    publication.sameDayUntil,
  ];
  return [
    ...base,
    dayText(from),
    dayText(to),
    first,
    end,
    clamp(publication.definitiveThrough, from - 1, to),
    ...frontiers.map((quarter) => clamp(quarter, first, end)),
    ...revisions,
  ].join('|');
}
