import type { SELECTIONS } from '../pipelines/backfill.ts';
import type { DayStanding, GapKind } from '../pipelines/calendar-of-days.ts';
import type { StepState } from '../pipelines/execution.ts';
import type { StepAction } from '../pipelines/planned-step.ts';
import type { Language } from '../pipelines/tables.ts';
import type { VerificationResult } from '../pipelines/verification.ts';
import type { ScheduleStanding } from '../schedules/apply-schedules.ts';

/** How days, steps, gaps, schedules and verifications stand. */
export type StateName =
  | (DayStanding | GapKind)
  | (StepAction | StepState['state'])
  | (VerificationResult | ScheduleStanding | (typeof SELECTIONS)[number]);

const FRENCH: Readonly<Record<StateName, string>> = {
  ok: 'bon',
  degraded: 'dégradé',
  no_data: 'sans données',
  failed: 'en échec',
  quarantined: 'en quarantaine',
  running: 'en cours',
  missing: 'manquant',
  unknown: 'inconnu',
  not_due: 'pas encore attendu',
  not_asked: 'non demandé',
  held: 'en attente d’une décision',
  incomplete: 'incomplet',
  unreadable: 'illisible',
  run: 'à exécuter',
  recheck: 'à redemander',
  reuse: 'repris',
  skip: 'à omettre',
  done: 'fait',
  skipped: 'omis',
  identical: 'identique',
  different: 'différent',
  not_rebuildable: 'impossible à refaire',
  same: 'conforme',
  outdated: 'dépassé',
  edited: 'modifié',
  undeclared: 'non déclaré',
  open: 'à faire',
  stale: 'périmé',
  all: 'tous',
};

/** A state as people read it: in English by the name that commands and the API have. */
export function stateWord({ language }: { readonly language: Language }, state: StateName): string {
  return language === 'fr' ? FRENCH[state] : state.replaceAll('_', ' ');
}
