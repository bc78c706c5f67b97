/** One measured figure; `ratio` is value over floor, or floor over value where more is better. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same work done with nothing of ours, measured in the same run. */
  readonly floor?: number;
  readonly target?: number;
  /** What the target bounds: the value (default) or the ratio. */
  readonly bounds?: 'value' | 'ratio';
  /** More is better. */
  readonly more?: boolean;
  readonly note?: string;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Prints a figure as one JSON object on stdout and as a readable line on stderr. */
export function report(figure: Figure): void {
  const { name, value, unit, floor, target, more = false, note } = figure;
  const ratio = floor === undefined ? null : more ? floor / value : value / floor;
  const bounded = figure.bounds === 'ratio' ? (ratio ?? Number.NaN) : value;
  const ok = target === undefined ? null : more ? bounded >= target : bounded <= target;
  const line = {
    name,
    value: rounded(value),
    unit,
    floor: floor === undefined ? null : rounded(floor),
    ratio: ratio === null ? null : rounded(ratio),
    target: target ?? null,
    ok,
    note: note ?? null,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  const aim =
    target === undefined
      ? ''
      : `  ${more ? '≥' : '≤'} ${target}${figure.bounds === 'ratio' ? ' ×' : ''} ${ok === true ? 'ok' : 'MISSED'}`;
  const against = ratio === null ? '' : `  (floor ${rounded(floor ?? 0)}, ${rounded(ratio)} ×)`;
  process.stderr.write(
    `${name.padEnd(48)} ${rounded(value)} ${unit}${against}${aim}${note === undefined ? '' : `  ${note}`}\n`,
  );
}

/** The upper one of two; NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Peak resident memory of this process so far. */
export function peakMemoryMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}
