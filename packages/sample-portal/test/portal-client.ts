import { onTestFinished } from 'vitest';
import type { Portal, PortalOptions } from '../src/portal.ts';
import { startPortal } from '../src/portal.ts';

export const TR = 'eco2mix-national-tr' as const;
export const CONS = 'eco2mix-national-cons-def' as const;

/**
 * A portal that ends with the test; its clock stands at 12:20 in Paris on 20 March 2026 unless told
 * otherwise.
 */
export async function openPortal(options: Partial<PortalOptions> = {}): Promise<Portal> {
  const portal = await startPortal({ now: () => new Date('2026-03-20T11:20:00Z'), ...options });
  onTestFinished(() => portal.close());
  return portal;
}

export function datasetUrl(portal: Portal, dataset: string): string {
  return `${portal.url}/api/explore/v2.1/catalog/datasets/${dataset}`;
}

/** The URL of an export as clients of the real portal build it. */
export function exportUrl(
  portal: Portal,
  dataset: string,
  where?: string,
  more: Record<string, string> = {},
): string {
  const query = new URLSearchParams({
    delimiter: ';',
    timezone: 'Europe/Paris',
    use_labels: 'false',
    ...more,
  });
  if (where !== undefined) query.set('where', where);
  return `${datasetUrl(portal, dataset)}/exports/csv?${query.toString()}`;
}

export async function exportText(
  portal: Portal,
  dataset: string,
  where?: string,
  more?: Record<string, string>,
): Promise<string> {
  const response = await fetch(exportUrl(portal, dataset, where, more));
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return text;
}

export type Row = Readonly<Record<string, string>>;

/** The rows of a `;` CSV without quotes, by column name, in the order of the file. */
export function parseRows(text: string): Row[] {
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const names = header.split(';');
  return lines.map((line) => {
    const cells = line.split(';');
    if (cells.length !== names.length)
      throw new Error(`${cells.length} cells under ${names.length} names: ${line}`);
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
  });
}

export async function exportRows(portal: Portal, dataset: string, where?: string): Promise<Row[]> {
  return parseRows(await exportText(portal, dataset, where));
}

/** A cell as a number; an empty one is NaN. */
export function mw(row: Row, column: string): number {
  const text = row[column];
  return text === undefined || text === '' ? Number.NaN : Number(text);
}

export function instant(row: Row): number {
  return Date.parse(row['date_heure'] ?? '');
}

/** How many ascending runs of instants the rows are made of. */
export function countRuns(rows: readonly Row[]): number {
  return rows.filter((row, index) => index === 0 || instant(row) < instant(rows[index - 1]!))
    .length;
}

export async function dataProcessed(portal: Portal, dataset: string): Promise<string> {
  const entry = (await (await fetch(datasetUrl(portal, dataset))).json()) as {
    metas: { default: { data_processed: string } };
  };
  return entry.metas.default.data_processed;
}
