import type { DayChanges } from '../anomalies/changes-step.ts';
import { HONEST_REASONS, reasonsFor } from '../anomalies/reasons.ts';
import type { FleetDay } from '../marts/day.ts';
import type { QualityDay, Verdict } from '../quality/verdicts.ts';
import type { WeekLoad } from './week-load.ts';

/** What the report of a day holds; the page, the CSV and the tables are renderings of it. */
export interface MeterReport {
  readonly date: string;
  readonly fleet: FleetDay;
  /** The load by weekday and hour over four weeks; absent in earlier reports. */
  readonly week?: WeekLoad;
  /**
   * What the rules of quality observed; absent where they were not judged, and in earlier reports.
   */
  readonly quality?: ReportedQuality;
  /**
   * Scores and the largest changes of single meters; absent without days before, and in earlier
   * reports.
   */
  readonly changes?: DayChanges;
  /** Why each suspicion of `fleet` is told, in its order; absent in earlier reports. */
  readonly reasons?: readonly SuspicionReasons[];
  /** What explains a suspicion without any fault of the household; absent in earlier reports. */
  readonly explained_by?: readonly string[];
  /** The parts whose rows a sample portal made up; absent for real days. */
  readonly sample_data?: readonly string[];
}

/** Verdicts in short: no key of a meter. */
export interface ReportedQuality {
  readonly rules: number;
  /** Rules that some row fails, the most meters first. */
  readonly failing: readonly Pick<
    Verdict,
    'rule' | 'title' | 'severity' | 'tested' | 'failed' | 'meters'
  >[];
  readonly rejects: QualityDay['rejects'];
}

/** In French, as the page has them. */
export interface SuspicionReasons {
  readonly meter_key: string;
  readonly is_new: boolean;
  readonly reasons: readonly string[];
}

/** What a report says of the suspicions of a day. */
export function reasonsOf({
  suspicions,
}: FleetDay): Required<Pick<MeterReport, 'reasons' | 'explained_by'>> {
  return {
    reasons: suspicions.map((row) => ({
      meter_key: row.meter_key,
      is_new: row.is_new,
      reasons: reasonsFor(row),
    })),
    explained_by: HONEST_REASONS,
  };
}

/** The verdicts of a day in short. */
export function reportedQuality({ verdicts, rejects }: QualityDay): ReportedQuality {
  const failing = verdicts.filter(({ failed }) => failed > 0);
  return {
    rules: verdicts.length,
    failing: failing
      .map(({ rule, title, severity, tested, failed, meters = 0 }) => ({
        rule,
        title,
        severity,
        tested,
        failed,
        meters,
      }))
      .sort((a, b) => b.meters - a.meters || (a.rule < b.rule ? -1 : 1)),
    rejects,
  };
}
