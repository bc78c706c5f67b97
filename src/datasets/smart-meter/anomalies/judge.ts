/** How good a score is against what is known to be true. */

export interface Judgement {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly flagged: number;
}

/** Flags against truth; 0 where nothing is flagged or nothing is true. */
export function judge(flags: readonly boolean[], truth: readonly boolean[]): Judgement {
  const hits = flags.filter((flag, index) => flag && truth[index] === true).length;
  const flagged = flags.filter(Boolean).length;
  const real = truth.filter(Boolean).length;
  const precision = flagged === 0 ? 0 : hits / flagged;
  const recall = real === 0 ? 0 : hits / real;
  return {
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    flagged,
  };
}

/** Average precision: the mean of the precision at each true row, by falling score; rows of one score count together. */
export function averagePrecision(scores: ArrayLike<number>, truth: readonly boolean[]): number {
  const order = truth.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const real = truth.filter(Boolean).length;
  if (real === 0) return 0;
  let [hits, seen, area, index] = [0, 0, 0, 0];
  while (index < order.length) {
    const score = scores[order[index] ?? 0];
    let own = 0;
    for (; index < order.length && scores[order[index] ?? 0] === score; index += 1) {
      seen += 1;
      if (truth[order[index] ?? 0] === true) own += 1;
    }
    hits += own;
    area += (own / real) * (hits / seen);
  }
  return area;
}
