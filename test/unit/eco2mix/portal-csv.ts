import { DateTime } from 'luxon';

/** CSV exports of the portal, written by hand for tests: short names, `;`, times of Paris. */

const ZONE = 'Europe/Paris';

export interface PortalRow {
  /** Quarter of the day, from 0. */
  readonly quarter: number;
  readonly nature?: string;
  readonly values: Readonly<Record<string, number | string | null>>;
}

/** The fields that say when a quarter of a day is, in the portal's words. */
export function timeFields(
  date: string,
  quarter: number,
): { date: string; heure: string; date_heure: string } {
  const time = DateTime.fromISO(date, { zone: ZONE })
    .startOf('day')
    .plus({ minutes: 15 * quarter });
  return {
    date: time.toFormat('yyyy-MM-dd'),
    heure: time.toFormat('HH:mm'),
    date_heure: time.toFormat("yyyy-MM-dd'T'HH:mm:ssZZ"),
  };
}

export function quartersOf(date: string): number {
  const start = DateTime.fromISO(date, { zone: ZONE }).startOf('day');
  return start.plus({ days: 1 }).diff(start, 'minutes').minutes / 15;
}

/** One line of an export with these measures, without its line end. */
export function portalLine(date: string, row: PortalRow, measures: readonly string[]): string {
  const time = timeFields(date, row.quarter);
  const nature = row.nature ?? 'Données temps réel';
  const cells = measures.map((name) => row.values[name] ?? '');
  return ['France', nature, time.date, time.heure, time.date_heure, ...cells].join(';');
}

export function portalHeader(measures: readonly string[]): string {
  return ['perimetre', 'nature', 'date', 'heure', 'date_heure', ...measures].join(';');
}

export function portalCsv(
  date: string,
  rows: readonly PortalRow[],
  measures: readonly string[],
): string {
  return [portalHeader(measures), ...rows.map((row) => portalLine(date, row, measures)), ''].join(
    '\n',
  );
}

/** Every quarter (or every second one) of a day with the same values. */
export function constantRows(
  date: string,
  step: 15 | 30,
  values: PortalRow['values'],
  nature = 'Données temps réel',
): PortalRow[] {
  const stride = step / 15;
  return Array.from({ length: quartersOf(date) / stride }, (_, index) => {
    return { quarter: index * stride, nature, values };
  });
}
