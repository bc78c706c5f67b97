import { errorCodeOf } from '../../errors.ts';
import {
  CALENDAR_INDEX,
  calendarFolder,
  calendarMonth,
  calendarMonthKey,
  calendarMonthText,
  calendarVersion,
  calendarYearKey,
} from '../../pipelines/calendar-month.ts';
import type { CalendarMonth } from '../../pipelines/calendar-month.ts';
import {
  datesBetween,
  datesOfMonth,
  monthOf,
  toEpochDay,
  yearOf,
} from '../../pipelines/civil-date.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { CivilDate, Period, Scope } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { ObjectStore } from '../../ports/objects.ts';
import type { Engine } from '../engine.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { newestManifests } from '../records/ledger-reader.ts';
import { calendarIndexPage, calendarYearPage } from './calendar-page.ts';
import type { PipelineCalendar } from './calendar-page.ts';
import { publicationsOf } from './published.ts';

/**
 * Publishes the calendar after days were published. Invariants, cited by
 * `test/unit/commit/published-calendar.test.ts`:
 *
 * 1. Every file is written from what is read after the commit, and only if the same is read again
 *    right before the write (the fence). Whoever is refused was overtaken by a commit, whose
 *    publisher reads later and writes both; killed in between, its activity is tried again.
 * 2. A version of a day reads the manifests of its month, and small files besides: no other month.
 *    Only the first one of a pipeline, in an installation of before, reads those of all months.
 * 3. The calendar never fails a day because a store is away: the reconciliation publishes it.
 */

type Stores = Pick<Engine, 'objects' | 'documents'>;

/** How many of the newest months the page of all pipelines shows. */
const MONTHS_SHOWN = 2;
const MONTHS_AT_ONCE = 4;

/**
 * Brings the calendar up to date with these days; periods are left aside. The first time it has
 * every finished day.
 */
export async function publishCalendar(
  engine: Pick<Engine, 'objects' | 'documents' | 'datasets' | 'fallback' | 'now'>,
  definition: PipelineDefinition,
  scopes: readonly Scope[],
): Promise<void> {
  const changed = [...new Set(scopes.filter((scope) => !isPeriod(scope)).map(monthOf))].sort();
  if (changed.length === 0) return;
  // What only this host has is for the reconciliation to publish: a journal would replay an old
  // calendar.
  const stores = engine.fallback?.primary ?? engine;
  try {
    const known = await filesOf(stores.objects, definition.name);
    // Pages of years are written after all months: without one, nobody has got so far.
    const months =
      known.years.length > 0 ? changed : monthsUntil(definition, engine.now(), changed);
    const shown = await mapConcurrent(months, MONTHS_AT_ONCE, async (month) =>
      (await publishMonth(stores, definition, month)) ? [month] : [],
    );
    const written = [...new Set([...known.months, ...shown.flat()])];
    const lacking = written.map(yearOf).filter((year) => !known.years.includes(year));
    const years = [...new Set([...months.map(yearOf), ...lacking])];
    const pages = years.filter((year) => written.some((month) => yearOf(month) === year));
    const definitions = Object.values(engine.datasets).map((dataset) => dataset.definition);
    // The page of all pipelines names the pages of years that are there: a new one comes first.
    const isNew = pages.some((year) => !known.years.includes(year));
    const index = isNew ? undefined : publishIndex(stores, definitions);
    await Promise.all([...pages.map((year) => publishYear(stores, definition, year)), index]);
    if (isNew) await publishIndex(stores, definitions);
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
  }
}

function monthsUntil(
  definition: PipelineDefinition,
  now: Date,
  changed: readonly Period[],
): Period[] {
  const days = datesBetween(firstDayOf(definition), civilDateAt(now, definition.zone));
  return [...new Set([...days.map(monthOf), ...changed])].sort();
}

/**
 * Makes the calendar of everything that is finished, for installations whose days were made before
 * there was one.
 */
export async function publishWholeCalendar(engine: Engine): Promise<void> {
  for (const { definition } of Object.values(engine.datasets)) {
    await publishCalendar(engine, definition, [civilDateAt(engine.now(), definition.zone)]);
  }
}

/**
 * The first day of a pipeline that the calendar has; undefined when it has none, or a store does
 * not answer.
 */
export async function firstDayMade(
  { objects }: Pick<Engine, 'objects'>,
  pipeline: string,
): Promise<CivilDate | undefined> {
  try {
    const { months } = await filesOf(objects, pipeline);
    const [first] = await readMonths(objects, pipeline, months.slice(0, 1));
    return Object.keys(first?.days ?? {}).sort()[0];
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    return undefined;
  }
}

/**
 * The name of the newest page of a pipeline, or of the page of a day; undefined when there is none.
 */
export async function publishedPage(
  stores: Stores,
  definition: PipelineDefinition,
  date?: CivilDate,
): Promise<string | undefined> {
  if (date !== undefined) {
    const manifest = (await newestManifests(stores.documents, definition.name, [date])).get(date);
    return manifest === undefined ? undefined : pageOf(definition, manifest);
  }
  const { months } = await filesOf(stores.objects, definition.name);
  for (const month of months.reverse()) {
    const [known] = await readMonths(stores.objects, definition.name, [month]);
    const pages = Object.values(known?.days ?? {}).flatMap(({ page }) => page ?? []);
    if (pages.length > 0) return pages.at(-1);
  }
  return undefined;
}

/** Whether the month has a file. */
async function publishMonth(
  stores: Stores,
  definition: PipelineDefinition,
  month: Period,
): Promise<boolean> {
  const read = async (): Promise<Shown> => {
    const found = await monthFromManifests(stores, definition, month);
    return { version: calendarVersion([found]), text: calendarMonthText(found) };
  };
  const key = calendarMonthKey(definition.name, month);
  const shown = await read();
  // A month without a finished day has no file, unless it had one.
  if (shown.version === 0 && (await stores.objects.head(key)) === undefined) return false;
  await show(stores.objects, key, JSON_TYPE, shown, read);
  return true;
}

async function publishYear(
  stores: Stores,
  definition: PipelineDefinition,
  year: Period,
): Promise<void> {
  const { name, title } = definition;
  const read = async (): Promise<Shown> => {
    const { months: known } = await filesOf(stores.objects, name, `${year}-`);
    const months = await readMonths(stores.objects, name, known);
    return { version: calendarVersion(months), text: calendarYearPage(title, year, months) };
  };
  await show(stores.objects, calendarYearKey(name, year), HTML_TYPE, await read(), read);
}

async function publishIndex(
  { objects }: Pick<Stores, 'objects'>,
  definitions: readonly PipelineDefinition[],
): Promise<void> {
  const read = async (): Promise<Shown> => {
    const all = await mapConcurrent(definitions, MONTHS_AT_ONCE, ({ name, title }) =>
      pipelineCalendar(objects, name, title),
    );
    const pipelines = all.filter(({ months }) => months.length > 0);
    return { version: indexVersion(pipelines), text: calendarIndexPage(pipelines) };
  };
  const shown = await read();
  // A page of nothing helps nobody.
  if (shown.version === 0 && (await objects.head(CALENDAR_INDEX)) === undefined) return;
  await show(objects, CALENDAR_INDEX, HTML_TYPE, shown, read);
}

async function pipelineCalendar(
  objects: ObjectStore,
  name: string,
  title: string,
): Promise<PipelineCalendar> {
  const { months, years } = await filesOf(objects, name);
  return {
    name,
    title,
    years,
    months: await readMonths(objects, name, months.slice(-MONTHS_SHOWN)),
  };
}

/**
 * More than any sum of versions within the shown months: with a new month the number grows as well.
 */
const MONTH_WEIGHT = 10_000;

function indexVersion(pipelines: readonly PipelineCalendar[]): number {
  return pipelines.reduce((sum, { months }) => {
    const [first] = months;
    const begin = first === undefined ? 0 : toEpochDay(`${first.month}-01`) * MONTH_WEIGHT;
    return sum + begin + calendarVersion(months);
  }, 0);
}

/** Which months have a file, and which years a page, of those whose names begin so; ascending. */
async function filesOf(
  objects: ObjectStore,
  pipeline: string,
  beginning = '',
): Promise<{ months: Period[]; years: Period[] }> {
  const [months, years]: [Period[], Period[]] = [[], []];
  const folder = calendarFolder(pipeline);
  for await (const { key } of objects.list(folder + beginning)) {
    const [, name = '', extension] = /^(.+)\.(json|html)$/.exec(key.slice(folder.length)) ?? [];
    if (extension !== undefined) (extension === 'json' ? months : years).push(name);
  }
  return { months: months.sort(), years: years.sort() };
}

async function readMonths(
  objects: ObjectStore,
  pipeline: string,
  months: readonly Period[],
): Promise<CalendarMonth[]> {
  const read = await mapConcurrent(months, MONTHS_AT_ONCE, async (month) => {
    const text = await textOf(objects, calendarMonthKey(pipeline, month));
    const parsed = text === undefined ? undefined : parsedMonth(text);
    return parsed === undefined ? [] : [parsed];
  });
  return read.flat();
}

/** A damaged file must not fail a day; the next version of a day of its month writes it anew. */
function parsedMonth(text: string): CalendarMonth | undefined {
  try {
    return JSON.parse(text) as CalendarMonth;
  } catch {
    return undefined;
  }
}

async function monthFromManifests(
  { documents }: Pick<Stores, 'documents'>,
  definition: PipelineDefinition,
  month: Period,
): Promise<CalendarMonth> {
  // A damaged row is told of by those who look at its day.
  const manifests = await newestManifests(documents, definition.name, datesOfMonth(month), []);
  return calendarMonth(definition, month, [...manifests.values()], (manifest) =>
    pageOf(definition, manifest),
  );
}

function pageOf(definition: PipelineDefinition, manifest: Manifest): string | undefined {
  const published = publicationsOf(definition, manifest);
  return published.find(({ ref }) => ref.mediaType.startsWith('text/html'))?.key;
}

const JSON_TYPE = 'application/json';
const HTML_TYPE = 'text/html; charset=utf-8';

interface Shown {
  readonly version: number;
  readonly text: string;
}

/**
 * Writes what was read, unless it is there already, or `read` gives something else right before the
 * write.
 */
async function show(
  objects: ObjectStore,
  key: string,
  mediaType: string,
  { version, text }: Shown,
  read: () => Promise<Shown>,
): Promise<void> {
  if ((await textOf(objects, key)) === text) return;
  const holds = async (): Promise<boolean> => (await read()).text === text;
  try {
    const bytes = new TextEncoder().encode(text);
    await objects.put(key, bytes, { mediaType, mode: 'replace', fence: { version, holds } });
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  }
}

async function textOf(objects: ObjectStore, key: string): Promise<string | undefined> {
  const body = await objects.get(key);
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return new TextDecoder().decode(Buffer.concat(chunks));
}
