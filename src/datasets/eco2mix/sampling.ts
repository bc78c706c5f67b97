/**
 * How long each sample stands for. A data day is seen as its quarters of an hour, counted from 0;
 * two quarters are a half-hour slot.
 *
 * The step is a property of a column, of the part that published it, and of a span of time: real
 * time gives load every 15 minutes and exchanges every 30, consolidated load comes every 30 minutes
 * inside rows of 15. So a sample at :15 or :45 stands for 15 minutes. A sample at :00 or :30 stands
 * for 30 minutes when its part has nothing at the following quarter, unless the part's nearest
 * slots before and after both have both samples: then a sample is missing, and a gap is never
 * filled. Where parts overlap, a sample stands for as long as any part says, but never beyond the
 * next sample of the column.
 */

/** The shortest step that is published. */
export const QUARTER_MINUTES = 15;

/** Which quarters of a day have a sample: one flag per quarter. */
export type Presence = Uint8Array;

/** How much of a day is covered by samples. */
export interface Sampling {
  /** Minutes each quarter's own sample stands for: 0 (no sample), 15 or 30. */
  readonly minutes: Uint8Array;
  readonly expectedSamples: number;
  readonly observedSamples: number;
  readonly observedMinutes: number;
}

/**
 * The sampling of one column on one day from what each part published; `unknownStep` is the step to
 * expect where nothing was.
 */
export function sampleDay(
  quarters: number,
  parts: readonly Presence[],
  unknownStep: 15 | 30 = 15,
): Sampling {
  const any = new Uint8Array(quarters);
  const isHalfHour = new Uint8Array(quarters);
  for (const part of parts) {
    const gaps = missingSecondHalves(part);
    for (let quarter = 0; quarter < quarters; quarter++) {
      if (part[quarter] !== 1) continue;
      any[quarter] = 1;
      const standsAlone = quarter % 2 === 0 && part[quarter + 1] !== 1 && gaps[quarter / 2] !== 1;
      if (standsAlone) isHalfHour[quarter] = 1;
    }
  }
  const minutes = any.map((present, quarter) => {
    if (present === 0) return 0;
    return isHalfHour[quarter] === 1 && any[quarter + 1] !== 1
      ? 2 * QUARTER_MINUTES
      : QUARTER_MINUTES;
  });
  return summarize(minutes, unknownStep);
}

/**
 * Per half-hour slot: whether only its first sample is there although this part samples every
 * quarter around it.
 */
function missingSecondHalves(part: Presence): Uint8Array {
  const slots = part.length / 2;
  const gaps = new Uint8Array(slots);
  const seen: number[] = [];
  for (let slot = 0; slot < slots; slot++) {
    if (part[2 * slot] === 1 || part[2 * slot + 1] === 1) seen.push(slot);
  }
  const hasSecond = (slot: number | undefined): boolean =>
    slot !== undefined && part[2 * slot + 1] === 1;
  seen.forEach((slot, index) => {
    if (hasSecond(slot)) return;
    const [before, after] = [seen[index - 1], seen[index + 1]];
    // At either end of what was published there are neighbours on one side only: its two nearest
    // decide.
    const witnesses =
      before === undefined
        ? [after, seen[index + 2] ?? after]
        : after === undefined
          ? [before, seen[index - 2] ?? before]
          : [before, after];
    if (witnesses.every(hasSecond)) gaps[slot] = 1;
  });
  return gaps;
}

/**
 * Counts samples, and what is missing at the finer step of both sides of each gap. A whole day at
 * 15 minutes has 92, 96 or 100, at 30 minutes 46, 48 or 50.
 */
export function summarize(minutes: Uint8Array, unknownStep: 15 | 30 = 15): Sampling {
  let observedSamples = 0;
  let observedMinutes = 0;
  let missingSamples = 0;
  let lastStep: number | undefined;
  let coveredUntil = 0;
  const miss = (until: number, nextStep: number | undefined): void => {
    const gap = (until - coveredUntil) * QUARTER_MINUTES;
    missingSamples +=
      gap / Math.min(lastStep ?? nextStep ?? unknownStep, nextStep ?? lastStep ?? unknownStep);
  };
  for (const [quarter, step] of minutes.entries()) {
    if (step === 0) continue;
    miss(quarter, step);
    observedSamples += 1;
    observedMinutes += step;
    lastStep = step;
    coveredUntil = quarter + step / QUARTER_MINUTES;
  }
  miss(minutes.length, undefined);
  return {
    minutes,
    expectedSamples: observedSamples + missingSamples,
    observedSamples,
    observedMinutes,
  };
}

/** Observed time over the length of the day, 0–1, four decimals. */
export function coverageOf({ observedMinutes, minutes }: Sampling): number {
  return Math.round((observedMinutes * 10_000) / (minutes.length * QUARTER_MINUTES)) / 10_000;
}

/** The quarters in which any sample holds, each with the value of that sample. */
export function holdValues(
  values: readonly (number | null)[],
  { minutes }: Sampling,
): (number | null)[] {
  const held: (number | null)[] = [];
  let last: number | null = null;
  let until = 0;
  for (let quarter = 0; quarter < minutes.length; quarter++) {
    const step = minutes[quarter] ?? 0;
    if (step > 0) {
      last = values[quarter] ?? null;
      until = quarter + step / QUARTER_MINUTES;
    }
    held.push(quarter < until ? last : null);
  }
  return held;
}
