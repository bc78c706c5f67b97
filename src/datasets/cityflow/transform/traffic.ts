import {
  checkResult,
  dayByDay,
  dayOf,
  inputOf,
  isRecord,
  jsonOutput,
  numberOf,
  textOf,
} from '../../kit/index.ts';
import type {
  CheckDefinition,
  JsonRecord,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { localMs, periodsOf } from '../slices/records.ts';
import type { Period } from '../slices/records.ts';
import { recordsOf } from './days.ts';

/**
 * `transform/traffic`: the disruptions that touch a day, each in its newest version, with its
 * periods as instants and its metro lines.
 */

const READABLE: CheckDefinition = {
  id: 'readable-periods',
  title: 'every application period can be read',
  severity: 'warn',
};
/** Warns: a disruption with an unreadable period keeps its other periods. */
export const TRAFFIC_CHECKS: readonly CheckDefinition[] = [READABLE];

/** Milliseconds since 1970; an open end is null. */
export interface DisruptionPeriod {
  readonly from_ms: number;
  /** Null while no end is announced. */
  readonly to_ms: number | null;
}

/** The newest version of one disruption; texts are the publisher's. */
export interface Disruption {
  readonly id: string;
  readonly status: string | null;
  readonly effect: string | null;
  /** The publisher's, greater is worse; null where not given. */
  readonly priority: number | null;
  readonly cause: string | null;
  readonly category: string | null;
  readonly title: string | null;
  readonly updated_at: string | null;
  readonly updated_ms: number | null;
  readonly periods: readonly DisruptionPeriod[];
  /** Metro lines 1–14 that its messages name. */
  readonly lines: readonly string[];
}

/** The core document of a day. */
export interface TrafficDay {
  readonly schema: 'cityflow.traffic-core/1';
  readonly date: string;
  /** By id. */
  readonly disruptions: readonly Disruption[];
}

const LONGEST_TITLE = 300;

/** Versions of one disruption become one, the last by `updated_at`. */
export const transformTraffic = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const records = await recordsOf(sql, inputOf(unit, 'traffic'));
  const disruptions = newestVersions(records.map(disruptionOf));
  const document: TrafficDay = {
    schema: 'cityflow.traffic-core/1',
    date: dayOf(unit).date,
    disruptions,
  };
  const unread = records.filter((record) => {
    const list = record['application_periods'];
    return Array.isArray(list) && periodsOf(record).length < list.length;
  });
  return {
    outputs: { core: { ...jsonOutput(document), rows: disruptions.length } },
    checks: [
      checkResult(
        READABLE,
        records.length,
        unread.map((record) => ({ id: textOf(record['id']) })),
      ),
    ],
    facts: { rows: disruptions.length, versions: records.length },
  };
}

function disruptionOf(record: JsonRecord): Disruption {
  const severity = isRecord(record['severity']) ? record['severity'] : {};
  const updated = textOf(record['updated_at']);
  const updatedMs = updated === null ? Number.NaN : localMs(updated);
  const messages = messagesOf(record['messages']);
  return {
    id: textOf(record['id']) ?? textOf(record['disruption_id']) ?? '',
    status: textOf(record['status']),
    effect: textOf(severity['effect']),
    priority: numberOf(severity['priority']),
    cause: textOf(record['cause']),
    category: textOf(record['category']),
    title: messages[0]?.slice(0, LONGEST_TITLE) ?? null,
    updated_at: updated,
    updated_ms: Number.isNaN(updatedMs) ? null : updatedMs,
    periods: periodsOf(record).map(periodOf),
    lines: metroLinesIn(messages.join('\n')),
  };
}

function periodOf({ from, to }: Period): DisruptionPeriod {
  return { from_ms: from, to_ms: Number.isFinite(to) ? to : null };
}

/** Plain texts: publishers send HTML. */
function messagesOf(messages: unknown): string[] {
  if (!Array.isArray(messages)) return [];
  return (messages as unknown[]).filter(isRecord).flatMap(({ text }) => {
    const published = textOf(text);
    if (published === null) return [];
    const plain = published
      .replace(/<[^>]*>/g, ' ')
      .replace(/&nbsp;/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    return plain === '' ? [] : [plain];
  });
}

/**
 * An answer of each hour of the day holds the same disruptions again; the one that was updated last
 * is right.
 */
function newestVersions(disruptions: readonly Disruption[]): Disruption[] {
  const newest = new Map<string, Disruption>();
  for (const disruption of disruptions) {
    const known = newest.get(disruption.id);
    if (known === undefined || (disruption.updated_ms ?? 0) >= (known.updated_ms ?? 0))
      newest.set(disruption.id, disruption);
  }
  return [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const NUMBERS = String.raw`\d{1,2}(?!\d|\s*bis)(?:\s*(?:,|et|&|-)\s*\d{1,2}(?!\d|\s*bis))*`;
/**
 * `Métro 8`, `M14`, `ligne 4`, `lignes 2, 6 et 9 du métro`; not `ligne 91` nor the lines of buses,
 * trams and trains.
 */
const METRO = new RegExp(
  String.raw`(?:m[ée]tro\s*(?:lignes?\s*)?|\bM\s?|\blignes?\s+)(${NUMBERS})(\s*(?:du|de)\s+(?:bus|tram\w*|RER))?`,
  'giu',
);
const METRO_LINES = 14;

/** The metro lines 1–14 that a text names, ascending. */
export function metroLinesIn(text: string): string[] {
  const lines = new Set<number>();
  for (const [, numbers = '', other] of text
    .replace(/\b(?:bus|tram\w*|RER|noctilien)\s+(?:lignes?\s+)?[\dA-Z]+/giu, ' ')
    .matchAll(METRO)) {
    if (other !== undefined) continue;
    for (const number of numbers.match(/\d+/g) ?? []) lines.add(Number(number));
  }
  return [...lines]
    .filter((line) => line >= 1 && line <= METRO_LINES)
    .sort((a, b) => a - b)
    .map(String);
}
