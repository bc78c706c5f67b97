/** The same rows; where a sample portal made archives up, with a last column that says so. */
export function markedRows(
  [head = [], ...rows]: readonly (readonly (string | number | null)[])[],
  sample: readonly string[],
): (string | number | null)[][] {
  if (sample.length === 0) return [[...head], ...rows.map((row) => [...row])];
  return [[...head, 'sample_data'], ...rows.map((row) => [...row, sample.join(' ')])];
}
