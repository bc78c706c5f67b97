import path from 'node:path';
import {
  canonicalJson,
  civilDateAt,
  instantMs,
  isRecord,
  PipelineError,
  readJsonDocuments,
  textOf,
  writeParquetRows,
} from '../../kit/index.ts';
import type {
  CivilDate,
  JsonRecord,
  SliceTask,
  SqlSession,
  UnitOutcome,
  UnitResult,
  ZonedDay,
} from '../../kit/index.ts';
import { ZONE } from '../zones.ts';

/**
 * Slices of the JSON sources: one row per published record, `key` (what names it, and its time) and
 * `record` (the record itself as canonical JSON). Records of all pages and hours of a day are
 * merged; equal ones are one.
 */

/** A published record with what it is known by. */
export interface KeyedRecord {
  readonly key: string;
  readonly record: JsonRecord;
  /** The days that the record is of; absent: every day. */
  readonly isOf: ((day: ZonedDay) => boolean) | undefined;
}

/** How the documents of a part are taken apart. */
export interface RecordReader {
  readonly title: string;
  /** A day without records has a slice all the same: the publisher said that there is nothing. */
  readonly emptyIsAnswer: boolean;
  recordsOf(document: unknown, what: string): KeyedRecord[];
}

const COLUMNS = [
  { name: 'key', type: 'VARCHAR' },
  { name: 'record', type: 'VARCHAR' },
] as const;

/** A file is JSON, or several documents one after another; a wrong shape is `SRC_SHAPE_CHANGED`. */
export async function sliceRecords(
  task: SliceTask,
  sql: SqlSession,
  reader: RecordReader,
): Promise<readonly UnitOutcome[]> {
  const what = `the ${reader.title} ${path.basename(task.raw.path)}`;
  const records = (await readJsonDocuments(task.raw.path, what)).flatMap((document) =>
    reader.recordsOf(document, what),
  );
  const texts = records.map(({ key, record, isOf }) => ({
    key,
    text: canonicalJson(record),
    isOf,
  }));
  const columns = new Set(records.flatMap(({ record }) => Object.keys(record)));
  const sliceOf = async (
    own: readonly KeyedText[],
    name: string,
  ): Promise<Omit<UnitResult, 'scope'>> => {
    const unique = new Map(own.map(({ key, text }) => [`${key}\n${text}`, [key, text] as const]));
    const rows = [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    const isAnswer = rows.length > 0 || reader.emptyIsAnswer;
    return {
      outputs: isAnswer
        ? { slice: await writeParquetRows(sql, COLUMNS, rows, `${task.part}-${name}`) }
        : {},
      checks: [],
      facts: {
        rows: rows.length,
        published_columns: columns.size,
        duplicates_removed: own.length - rows.length,
      },
    };
  };
  // Records without a date are those of every day, in one file.
  if (texts.every(({ isOf }) => isOf === undefined)) {
    const all = await sliceOf(texts, 'every-day');
    return task.days.map(({ date }) => ({ scope: date, ...all }));
  }
  const outcomes: UnitOutcome[] = [];
  for (const day of task.days) {
    const own = texts.filter(({ isOf }) => isOf === undefined || isOf(day));
    outcomes.push({ scope: day.date, ...(await sliceOf(own, day.date)) });
  }
  return outcomes;
}

interface KeyedText {
  readonly key: string;
  readonly text: string;
}

function refuse(what: string, wanted: string, document: unknown): never {
  const found = document === undefined ? 'nothing' : JSON.stringify(document).slice(0, 160);
  throw new PipelineError('SRC_SHAPE_CHANGED', `${what} has no ${wanted}; it is ${found}`);
}

function recordsIn(document: unknown, member: string, what: string): JsonRecord[] {
  const list = Array.isArray(document)
    ? (document as unknown[])
    : isRecord(document)
      ? document[member]
      : undefined;
  if (!Array.isArray(list)) return refuse(what, `list ${member}`, document);
  const wrong = (list as unknown[]).find((item) => !isRecord(item));
  if (wrong !== undefined) return refuse(what, `list ${member} of records`, wrong);
  return list as JsonRecord[];
}

/** Bike counts: pages of the records endpoint (`results`), or the whole list of the export. */
export const BIKES: RecordReader = {
  title: 'bike counts',
  emptyIsAnswer: false,
  recordsOf: (document, what) =>
    recordsIn(document, 'results', what).map((record) => bikeRecord(record, what)),
};

function bikeRecord(record: JsonRecord, what: string): KeyedRecord {
  const at = textOf(record['date']);
  const counter = textOf(record['id_compteur']);
  const ms = at !== null && /[Zz]|[+-]\d\d:?\d\d$/.test(at) ? Date.parse(at) : Number.NaN;
  if (counter === null || Number.isNaN(ms))
    return refuse(what, 'id_compteur and date with offset in a record', record);
  const day = civilDateAt(new Date(ms), ZONE);
  const key = `${counter}/${new Date(ms).toISOString()}`;
  return { key, record, isOf: ({ date }) => date === day };
}

/**
 * Disruptions: an answer is the state at one moment; a day has those of which a period touches it.
 */
export const TRAFFIC: RecordReader = {
  title: 'disruptions',
  emptyIsAnswer: true,
  recordsOf: (document, what) =>
    recordsIn(document, 'disruptions', what).map((record) => {
      const id = textOf(record['id']) ?? textOf(record['disruption_id']);
      if (id === null) return refuse(what, 'id in a disruption', record);
      const periods = periodsOf(record);
      return {
        key: [id, textOf(record['updated_at'])].join('/'),
        record,
        isOf: (day) => touches(periods, day),
      };
    }),
};

/** `[begin, end)` in milliseconds; an open end is endless. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

function touches(periods: readonly Period[], day: ZonedDay): boolean {
  const [from, to] = [Date.parse(day.startAt), Date.parse(day.endAt)];
  return periods.some((period) => period.from < to && period.to > from);
}

/**
 * The readable application periods of a disruption. Their times are naive local time of Paris,
 * `20250828T182100`.
 */
export function periodsOf(record: JsonRecord): Period[] {
  const list = record['application_periods'];
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).filter(isRecord).flatMap((period) => {
    const from = localMs(period['begin']);
    const end = textOf(period['end']);
    const to = end === null || end === '' ? Number.POSITIVE_INFINITY : localMs(end);
    return Number.isNaN(from) || Number.isNaN(to) || to <= from ? [] : [{ from, to }];
  });
}

/**
 * The instant of a naive local time, `NaN` when it is none; ISO text with an offset is taken as it
 * is.
 */
export function localMs(value: unknown): number {
  const text = textOf(value);
  return text === null ? Number.NaN : instantMs(text, ZONE);
}

/** Days of Visual Crossing. */
export const WEATHER: RecordReader = {
  title: 'weather of Visual Crossing',
  emptyIsAnswer: false,
  recordsOf: (document, what) =>
    recordsIn(document, 'days', what).map((record) => {
      const date = textOf(record['datetime']);
      if (date === null) return refuse(what, 'datetime in a day', record);
      return { key: date, record, isOf: (day) => day.date === date };
    }),
};

/** Open-Meteo publishes columns; a record is one day of each of them. */
export const OPEN_METEO: RecordReader = {
  title: 'weather of Open-Meteo',
  emptyIsAnswer: false,
  recordsOf(document, what) {
    const daily = isRecord(document) ? document['daily'] : undefined;
    const hourly = isRecord(document) ? document['hourly'] : undefined;
    if (!isRecord(daily) || !Array.isArray(daily['time']))
      return refuse(what, 'daily.time', document);
    return (daily['time'] as unknown[]).map((time, index) => {
      const date: CivilDate = textOf(time) ?? '';
      const ofDay = Object.fromEntries(
        Object.entries(daily).map(([name, list]) => [name, elementOf(list, index)]),
      );
      const record = { daily: ofDay, hourly: hoursOf(hourly, date) };
      return { key: date, record, isOf: (day: ZonedDay) => day.date === date };
    });
  },
};

function elementOf(list: unknown, index: number): unknown {
  return Array.isArray(list) ? ((list as unknown[])[index] ?? null) : null;
}

function hoursOf(hourly: unknown, date: CivilDate): JsonRecord[] {
  if (!isRecord(hourly) || !Array.isArray(hourly['time'])) return [];
  return (hourly['time'] as unknown[]).flatMap((time, index) => {
    if (textOf(time)?.startsWith(date) !== true) return [];
    return [
      Object.fromEntries(
        Object.entries(hourly).map(([name, list]) => [name, elementOf(list, index)]),
      ),
    ];
  });
}

/** The 20 districts as GeoJSON, without date: every day has them. */
export const DISTRICTS: RecordReader = {
  title: 'districts',
  emptyIsAnswer: false,
  recordsOf: (document, what) =>
    recordsIn(isRecord(document) ? document['features'] : undefined, 'features', what).map(
      (feature) => {
        const properties = feature['properties'];
        const number = isRecord(properties) ? textOf(properties['c_ar']) : null;
        if (number === null) return refuse(what, 'properties.c_ar in a feature', feature);
        return { key: number.padStart(2, '0'), record: feature, isOf: undefined };
      },
    ),
};
