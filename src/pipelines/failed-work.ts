import type { CivilDate, Scope, StepId } from './vocabulary.ts';

/** A step that failed for all of these scopes with the same code. */
export interface FailedWork {
  readonly step: StepId;
  readonly scopes: readonly Scope[];
  readonly code: string;
  /** What happened to the first of them. */
  readonly message: string;
}

const LONGEST_MESSAGE = 1_000;

/** As few and as short as can be told, so that thousands of failures fit into one message. */
export function groupFailures(failures: readonly FailedWork[]): FailedWork[] {
  const groups = new Map<string, FailedWork>();
  for (const failure of failures) {
    const name = `${failure.step} ${failure.code}`;
    const known = groups.get(name);
    const scopes = [...(known?.scopes ?? []), ...failure.scopes];
    groups.set(name, {
      ...failure,
      message: (known ?? failure).message.slice(0, LONGEST_MESSAGE),
      scopes,
    });
  }
  return [...groups.values()];
}

/**
 * A day that its window could not make; `step` is null where it was not even planned, or its parts
 * have no rows.
 */
export interface DayLeft {
  readonly date: CivilDate;
  readonly step: StepId | null;
  readonly why: string;
}

/**
 * What a derived day leaves to be made; `planned` is the step to name where there is none. A day
 * whose parts have no rows any more has nothing to be made from, and stays as it was; one of which
 * a row cannot be read is told of anew when that is repaired. One that a store kept from being
 * planned is still to be made.
 */
export function failedDay({ date, step, why }: DayLeft, planned: StepId): FailedWork[] {
  const [, code = 'INTERNAL', message = why] = /^([A-Z_]+): (.*)$/s.exec(why) ?? [];
  if (step === null && code !== 'STORE_UNAVAILABLE') return [];
  return [{ step: step ?? planned, scopes: [date], code, message }];
}
