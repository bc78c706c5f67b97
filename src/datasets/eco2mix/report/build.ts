import type { AcceptedHold, JsonObject, PartNote, UnansweredNote } from '../../kit/index.ts';
import type { DayComparison, DayMetrics } from '../metrics-model.ts';
import { indicatorsOf } from './indicators.ts';
import type { ReportModel } from './model.ts';
import { REPORT_SCHEMA } from './model.ts';
import type { ReportArtefacts } from './provenance.ts';
import { provenanceOf } from './provenance.ts';
import { reportStatus, sectionsOf } from './sections.ts';

/** RTE's data days are those of French civil time. */
const ZONE = 'Europe/Paris';

/** All that a report is made from; equal inputs give equal bytes. */
export interface ReportInputs {
  readonly metrics: DayMetrics;
  /** Null where the comparison was not made. */
  readonly comparison: DayComparison | null;
  readonly artefacts: ReportArtefacts;
  /** The step's parameters. */
  readonly params: JsonObject;
  /** The parts whose new request failed, so that what was delivered before is used. */
  readonly notes: readonly PartNote[];
  /** The parts of which nothing came because their publisher was not heard. */
  readonly unanswered?: readonly UnansweredNote[];
  /** Held data that the day is made of, and who accepted them. */
  readonly accepted?: readonly AcceptedHold[];
  /** The parts whose rows a sample portal made up. */
  readonly sample?: readonly string[];
}

/** Brings the day's metrics, comparisons, check results and origins together; pure. */
export function buildReport(inputs: ReportInputs): ReportModel {
  const {
    metrics,
    comparison,
    artefacts,
    params,
    notes,
    unanswered = [],
    accepted = [],
    sample = [],
  } = inputs;
  const checks = artefacts.core.checks ?? [];
  const sections = sectionsOf(metrics, comparison, checks);
  return {
    schema: REPORT_SCHEMA,
    date: metrics.date,
    zone: ZONE,
    hours: metrics.hours,
    revision: metrics.revision,
    status: reportStatus(sections, notes),
    sections,
    indicators: indicatorsOf(metrics),
    metrics,
    comparison,
    checks: {
      made: checks.length,
      failed: checks.filter((check) => check.failed > 0).length,
      results: checks,
    },
    provenance: provenanceOf(artefacts, params),
    ...(notes.length === 0 ? {} : { notes }),
    ...(unanswered.length === 0 ? {} : { unanswered }),
    ...(accepted.length === 0 ? {} : { accepted }),
    ...(sample.length === 0 ? {} : { sample_data: sample }),
  };
}
