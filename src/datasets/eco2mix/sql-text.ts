/** Spelling values as SQL, for statements that are put together from published names and local paths. */

export function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A list literal of texts: the paths of `read_parquet`, the dates of an `IN`. */
export function sqlTexts(values: readonly string[]): string {
  return values.map(sqlText).join(', ');
}
