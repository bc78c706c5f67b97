import type { StepUnit } from '../../kit/index.ts';
import { weekBefore, WEEKS } from './features.ts';
import type { Suspicion } from './suspicion.ts';

/** Scores above nothing by meter. */
type Scores = ReadonlyMap<string, number>;

/** A day is held against itself a week and two weeks ago. */
const WEEKS_AGO = [0, 1, 2];

/**
 * Scores of a window. Those that a day had a week ago are the scores of the day a week before it,
 * from the same files: they are worked out once for all days that ask for them, and kept as long as
 * a later day of the window will.
 */
export class WeeklyScores {
  /** How often the scores of the same files are still asked for. */
  readonly #asked = new Map<string, number>();
  readonly #kept = new Map<string, Scores>();

  constructor(units: readonly StepUnit[]) {
    for (const unit of units)
      for (const ago of WEEKS_AGO) {
        const files = filesRead(unit, ago);
        this.#asked.set(files, (this.#asked.get(files) ?? 0) + 1);
      }
  }

  /** Suspicions of the day itself, which are told with all their figures. */
  async now(
    unit: StepUnit,
    find: () => Promise<readonly Suspicion[]>,
  ): Promise<readonly Suspicion[]> {
    const found = await find();
    this.#keep(filesRead(unit, 0), scoresOf(found));
    return found;
  }

  /** What the day's meters scored so many weeks ago. */
  async ago(
    unit: StepUnit,
    weeks: number,
    find: () => Promise<readonly Suspicion[]>,
  ): Promise<Scores> {
    const files = filesRead(unit, weeks);
    const scores = this.#kept.get(files) ?? scoresOf(await find());
    this.#keep(files, scores);
    return scores;
  }

  #keep(files: string, scores: Scores): void {
    const asked = (this.#asked.get(files) ?? 1) - 1;
    this.#asked.set(files, asked);
    if (asked > 0) this.#kept.set(files, scores);
    else this.#kept.delete(files);
  }
}

function scoresOf(found: readonly Suspicion[]): Scores {
  return new Map(
    found.flatMap(({ meter_key: meter, score }) => (score > 0 ? [[meter, score] as const] : [])),
  );
}

/** All that the scores are made from; equal texts, equal scores. */
function filesRead(unit: StepUnit, ago: number): string {
  const names = Array.from({ length: WEEKS }, (_, week) => week + ago).flatMap((week) =>
    ['week', 'balance'].map((output) => weekBefore(output, week)),
  );
  return JSON.stringify(
    names.map((name) => (unit.inputs[name] ?? []).map(({ ref }) => ref.sha256)),
  );
}
