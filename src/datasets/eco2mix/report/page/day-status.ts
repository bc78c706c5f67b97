import type { Reason, ReportModel, SectionState, SectionStatus } from '../model.ts';
import { reportStatus } from '../sections.ts';

const ABOUT_REFERENCE_DAYS: readonly Reason['code'][] = [
  'comparison_not_made',
  'reference_days_missing',
];

/** Whether all that a section lacks are previous days, which say nothing about the day itself. */
export function lacksOnlyReferences({ status, reasons }: SectionState): boolean {
  return status !== 'ok' && reasons.every(({ code }) => ABOUT_REFERENCE_DAYS.includes(code));
}

/** The state of the day itself: previous days that were never made take nothing from it. */
export function dayStatus({ sections, notes = [] }: ReportModel): SectionStatus {
  if (!lacksOnlyReferences(sections.comparison)) return reportStatus(sections, notes);
  return reportStatus({ ...sections, comparison: { status: 'ok', reasons: [] } }, notes);
}
