import type { AnswerRow, ChartDefinition } from '../../pipelines/tables.ts';

/** Rows as series of numbers over places, for drawings. */

/** Values in the order of the places; null where there is none: gaps stay gaps. */
export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** What a drawing over places needs. */
export interface Placed {
  readonly places: readonly string[];
  readonly series: readonly Series[];
}

/**
 * One series for each column of `y`, or for each value of `series`. Times go from left to right,
 * whatever order the rows have.
 */
export function seriesOf(
  { kind, x, y, series: by }: Pick<ChartDefinition, 'kind' | 'x' | 'y' | 'series'>,
  rows: readonly AnswerRow[],
): Placed {
  const given = [...new Set(rows.map((row) => String(row[x])))];
  const isTime =
    kind === 'line' || kind === 'stack' || given.every((place) => /^\d{4}/.test(place));
  const places = isTime ? given.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })) : given;
  const at = new Map(places.map((place, index) => [place, index]));
  const found = new Map<string, (number | null)[]>();
  for (const row of rows) {
    const place = at.get(String(row[x])) ?? 0;
    for (const column of y) {
      const name = by === undefined ? column : String(row[by]);
      const values = found.get(name) ?? places.map(() => null);
      const value = row[column];
      values[place] = typeof value === 'number' ? value : null;
      found.set(name, values);
    }
  }
  return { places, series: [...found].map(([name, values]) => ({ name, values })) };
}

/** Every value that there is. */
export function numbersOf(series: readonly Series[]): number[] {
  return series.flatMap(({ values }) => values.filter((value) => value !== null));
}

/** Smallest and largest, with zero between them; no spread, because there may be very many. */
export function extentOf(numbers: readonly number[]): readonly [low: number, high: number] {
  let [low, high] = [0, 0];
  for (const value of numbers) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/**
 * Each value on top of those below it, positive and negative ones apart: `[from, to]` by series and
 * place.
 */
export function stacked({
  places,
  series,
}: Placed): (readonly [from: number, to: number] | null)[][] {
  const above = places.map(() => 0);
  const below = places.map(() => 0);
  return series.map(({ values }) =>
    values.map((value, place) => {
      if (value === null) return null;
      const base = value < 0 ? below : above;
      const from = base[place] ?? 0;
      base[place] = from + value;
      return [from, from + value] as const;
    }),
  );
}

/**
 * The values of a line that a drawing of so many columns can show: the first, least, greatest and
 * last of each column, in their order, with the gaps between them. A line of fewer values is left
 * as it is. So no peak is lost, however long the range.
 */
export function thinned(
  values: readonly (number | null)[],
  columns: number,
): (readonly [index: number, value: number | null])[] {
  const all = values.map((value, index) => [index, value] as const);
  if (values.length <= columns * 4) return all;
  const kept = new Set<number>();
  for (let column = 0; column < columns; column += 1) {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.floor(((column + 1) * values.length) / columns);
    let [least, greatest] = [from, from];
    let isWhole = true;
    for (let index = from; index < to; index += 1) {
      const value = values[index] ?? null;
      if (value === null) {
        // One gap shows as well as many in the width of a column.
        if (isWhole) kept.add(index);
        isWhole = false;
        continue;
      }
      if (value < (values[least] ?? Infinity)) least = index;
      if (value > (values[greatest] ?? -Infinity)) greatest = index;
    }
    for (const index of [from, least, greatest, to - 1]) kept.add(index);
  }
  return [...kept]
    .sort((one, other) => one - other)
    .map((index) => [index, values[index] ?? null] as const);
}
