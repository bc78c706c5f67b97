import { readFile } from 'node:fs/promises';
import {
  dayByDay,
  dayOf,
  HOUR_MS,
  jsonOutput,
  localTime,
  matchOf,
  neededInput,
} from '../../kit/index.ts';
import type { ZonedDay } from '../../kit/index.ts';
import { clamp, known, mean, rounded, roundedOrNull, sum } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Disruption, TrafficDay } from '../transform/traffic.ts';

/** `metrics/traffic`: the disruptions of public transport, each clipped to the day. */

/** From worst to least, in the words of the published reports. */
export const SEVERITIES = ['CRITIQUE', 'ELEVEE', 'MOYENNE', 'FAIBLE'] as const;
/** Follows from the publisher's priority alone (`severityOf`). */
export type Severity = (typeof SEVERITIES)[number];

/** One disruption as far as it lies in the day. */
export interface DisruptionMetrics {
  readonly id: string;
  readonly titre: string | null;
  readonly severite: Severity;
  readonly priority: number | null;
  readonly effet: string | null;
  readonly cause: string | null;
  readonly lignes: readonly string[];
  /** Local times inside the day, `[start, end)`. */
  readonly periodes: readonly { readonly debut: string; readonly fin: string }[];
  /** Disrupted minutes of the day; periods that overlap count once. */
  readonly minutes: number;
  readonly planifiee: boolean;
  /** Whole duration, from its first begin to its last end; null while it has no end. */
  readonly duree_heures: number | null;
  readonly resolue: boolean;
}

/** A metro line that messages of the day's disruptions name. */
export interface DisruptedLine {
  readonly ligne: string;
  /** Disruptions that touched it. */
  readonly count: number;
  /** Disrupted minutes within service. */
  readonly minutes: number;
}

/**
 * `reliability_index` … `disruptions_by_severity`, `top_lignes_impactees` and `alerts` as in the
 * earlier system.
 */
export interface TrafficMetrics {
  readonly schema: 'cityflow.traffic/2';
  readonly metric_type: 'traffic';
  readonly date: string;
  readonly total_disruptions_count: number;
  /** Still going on at the end of the day. */
  readonly active_disruptions_count: number;
  /** 0–100: the percentage of the metro's service that no disruption touched. */
  readonly reliability_index: number;
  /** The same, 0–1. */
  readonly fiabilite_metro: number;
  /**
   * What `fiabilite_metro` is made of: disrupted minutes within service, and service minutes of one
   * line.
   */
  readonly lines: {
    readonly minutes_perturbees: number;
    readonly minutes_service: number;
    readonly lignes: number;
  };
  readonly disruptions_by_severity: Readonly<Record<Severity, number>>;
  /** Works and maintenance, and what was announced before it began. */
  readonly planifiees: number;
  /** Ended by the end of the day; 24 hours count from the first begin. */
  readonly resolues: number;
  readonly resolues_sous_24h: number;
  readonly duree_moyenne_resolution_heures: number | null;
  readonly simultanees: {
    readonly maximum: number;
    readonly depuis: string | null;
    readonly minutes_au_dessus_du_seuil: number;
  };
  /** The ten lines with the most disruptions. */
  readonly top_lignes_impactees: readonly DisruptedLine[];
  /** All disrupted lines, by minutes within service. */
  readonly lignes_perturbees: readonly DisruptedLine[];
  readonly alerts: readonly {
    readonly id: string;
    readonly priority: number | null;
    readonly duration_hours: number | null;
    readonly lignes: readonly string[];
  }[];
  readonly top_10: readonly string[];
  readonly disruptions: readonly DisruptionMetrics[];
}

/** `[from, to)` in milliseconds. */
export type Span = readonly [from: number, to: number];

const MINUTE_MS = 60_000;
const TOP = 10;

/** Fact: `rows`, the disruptions that touch the day. */
export const metricsTraffic = dayByDay(async (unit, task) => {
  const core = JSON.parse(await readFile(neededInput(unit, 'core').path, 'utf8')) as TrafficDay;
  const metrics = trafficMetrics(dayOf(unit), core.disruptions, thresholdsOf(task.params));
  return {
    outputs: { metrics: jsonOutput(metrics) },
    checks: [],
    facts: { rows: metrics.total_disruptions_count },
  };
});

/**
 * Reliability is 1 − disrupted minutes of metro lines / (lines × service minutes), clamped to 0–1.
 */
export function trafficMetrics(
  day: ZonedDay,
  all: readonly Disruption[],
  thresholds: Thresholds,
): TrafficMetrics {
  const window: Span = [Date.parse(day.startAt), Date.parse(day.endAt)];
  const own = all
    .map((disruption) => ({ disruption, spans: clip(disruption, window) }))
    .filter(({ spans }) => spans.length > 0);
  const disruptions = own
    .map(({ disruption, spans }) => disruptionMetrics(day, disruption, spans, thresholds))
    .sort(bySeverity);
  const resolved = disruptions.filter(({ resolue }) => resolue);
  const lines = linesOf(own, day, thresholds);
  const service = minutesOf(serviceSpans(day, thresholds));
  const lost = sum(lines.map(({ minutes }) => minutes));
  const reliability = rounded(clamp(1 - lost / (thresholds.metro_lines * service), 0, 1), 6);
  return {
    schema: 'cityflow.traffic/2',
    metric_type: 'traffic',
    date: day.date,
    total_disruptions_count: disruptions.length,
    active_disruptions_count: disruptions.length - resolved.length,
    reliability_index: rounded(reliability * 100, 4),
    fiabilite_metro: reliability,
    lines: { minutes_perturbees: lost, minutes_service: service, lignes: thresholds.metro_lines },
    disruptions_by_severity: Object.fromEntries(
      SEVERITIES.map((severity) => [
        severity,
        disruptions.filter(({ severite }) => severite === severity).length,
      ]),
    ) as Record<Severity, number>,
    planifiees: disruptions.filter(({ planifiee }) => planifiee).length,
    resolues: resolved.length,
    resolues_sous_24h: resolved.filter(({ duree_heures: hours }) => hours !== null && hours <= 24)
      .length,
    duree_moyenne_resolution_heures: roundedOrNull(
      mean(known(resolved.map(({ duree_heures: hours }) => hours))),
      3,
    ),
    simultanees: atOnce(
      own.flatMap(({ spans }) => spans),
      day,
      thresholds,
    ),
    top_lignes_impactees: [...lines].sort((a, b) => b.count - a.count).slice(0, TOP),
    lignes_perturbees: lines,
    alerts: disruptions
      .filter(({ severite }) => severite === 'CRITIQUE' || severite === 'ELEVEE')
      .map(({ id, priority, duree_heures, lignes }) => ({
        id,
        priority,
        duration_hours: duree_heures,
        lignes,
      })),
    top_10: disruptions.slice(0, TOP).map(({ id }) => id),
    disruptions,
  };
}

/** From priority 50, 30 and 15 on (thresholds); without a priority the least. */
export function severityOf(priority: number | null, thresholds: Thresholds): Severity {
  if (priority === null) return 'FAIBLE';
  if (priority >= thresholds.disruption_critical_priority) return 'CRITIQUE';
  if (priority >= thresholds.disruption_high_priority) return 'ELEVEE';
  return priority >= thresholds.disruption_medium_priority ? 'MOYENNE' : 'FAIBLE';
}

function bySeverity(a: DisruptionMetrics, b: DisruptionMetrics): number {
  return (b.priority ?? 0) - (a.priority ?? 0) || b.minutes - a.minutes || (a.id < b.id ? -1 : 1);
}

/** What of the periods lies in the window, merged. */
function clip({ periods }: Disruption, [from, to]: Span): Span[] {
  return merged(
    periods.map((period): Span => [
      Math.max(from, period.from_ms),
      Math.min(to, period.to_ms ?? Infinity),
    ]),
  );
}

/** Spans without overlap, ascending; empty ones are left out. */
export function merged(spans: readonly Span[]): Span[] {
  const result: [number, number][] = [];
  for (const [from, to] of spans.filter((span) => span[1] > span[0]).sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

function minutesOf(spans: readonly Span[]): number {
  return rounded(sum(spans.map(([from, to]) => to - from)) / MINUTE_MS, 3);
}

function disruptionMetrics(
  day: ZonedDay,
  disruption: Disruption,
  spans: readonly Span[],
  thresholds: Thresholds,
): DisruptionMetrics {
  const begin = Math.min(...disruption.periods.map(({ from_ms: from }) => from));
  const end = Math.max(...disruption.periods.map(({ to_ms: to }) => to ?? Infinity));
  return {
    id: disruption.id,
    titre: disruption.title,
    severite: severityOf(disruption.priority, thresholds),
    priority: disruption.priority,
    effet: disruption.effect,
    cause: disruption.cause,
    lignes: disruption.lines,
    periodes: spans.map(([from, to]) => ({ debut: localTime(day, from), fin: localTime(day, to) })),
    minutes: minutesOf(spans),
    planifiee: isPlanned(disruption, begin),
    duree_heures: Number.isFinite(end) ? rounded((end - begin) / HOUR_MS, 3) : null,
    resolue: end <= Date.parse(day.endAt),
  };
}

/** Works are planned, and so is what was announced before it began. */
function isPlanned({ cause, category, updated_ms: updated }: Disruption, begin: number): boolean {
  return (
    [cause, category].some((text) => matchOf(/travaux|planned|maintenance/i, text) !== null) ||
    (updated !== null && updated < begin)
  );
}

/**
 * When the metro runs inside a civil day: after midnight until it closes, and from its opening on.
 */
export function serviceSpans(day: ZonedDay, thresholds: Thresholds): Span[] {
  const [start, end] = [Date.parse(day.startAt), Date.parse(day.endAt)];
  // Both are clock times outside the hours in which the clock may change: counted from the nearer
  // midnight they are exact.
  const opens = end - (24 * 60 - thresholds.metro_opens_minute) * MINUTE_MS;
  return [
    [start, start + thresholds.metro_closes_minute * MINUTE_MS],
    [opens, end],
  ];
}

/** Disrupted minutes of each line within service; two disruptions at once disrupt it once. */
function linesOf(
  own: readonly { readonly disruption: Disruption; readonly spans: readonly Span[] }[],
  day: ZonedDay,
  thresholds: Thresholds,
): DisruptedLine[] {
  const lines = new Map<string, { count: number; spans: Span[] }>();
  for (const { disruption, spans } of own) {
    for (const line of disruption.lines) {
      const known_ = lines.get(line) ?? { count: 0, spans: [] };
      lines.set(line, { count: known_.count + 1, spans: [...known_.spans, ...spans] });
    }
  }
  const service = serviceSpans(day, thresholds);
  return [...lines]
    .map(([ligne, { count, spans }]) => ({
      ligne,
      count,
      minutes: minutesOf(intersect(merged(spans), service)),
    }))
    .sort(
      (a, b) => b.minutes - a.minutes || b.count - a.count || Number(a.ligne) - Number(b.ligne),
    );
}

function intersect(spans: readonly Span[], others: readonly Span[]): Span[] {
  return spans.flatMap(([from, to]) =>
    others
      .map((other): Span => [Math.max(from, other[0]), Math.min(to, other[1])])
      .filter((span) => span[1] > span[0]),
  );
}

function atOnce(
  spans: readonly Span[],
  day: ZonedDay,
  thresholds: Thresholds,
): TrafficMetrics['simultanees'] {
  const changes = spans.flatMap(([from, to]) => [
    { at: from, step: 1 },
    { at: to, step: -1 },
  ]);
  // Ends come before begins of the same instant: `[from, to)`.
  changes.sort((a, b) => a.at - b.at || a.step - b.step);
  let current = 0;
  let maximum = 0;
  let depuis: number | null = null;
  let above = 0;
  for (const [index, { at, step }] of changes.entries()) {
    current += step;
    if (current > maximum) [maximum, depuis] = [current, at];
    if (current > thresholds.disruptions_at_once) above += (changes[index + 1]?.at ?? at) - at;
  }
  return {
    maximum,
    depuis: depuis === null ? null : localTime(day, depuis),
    minutes_au_dessus_du_seuil: rounded(above / MINUTE_MS, 3),
  };
}
