import { describe, expect, it } from 'vitest';
import {
  CONS,
  dataProcessed,
  exportRows,
  exportText,
  exportUrl,
  instant,
  mw,
  openPortal,
  TR,
} from './portal-client.ts';

const FOUR = ['eolien_terrestre', 'eolien_offshore', 'stockage_batterie', 'destockage_batterie'];

function header(text: string): string[] {
  return text.slice(0, text.indexOf('\n')).split(';');
}

describe('real-time dataset', () => {
  it('holds placeholders with empty load from now to the end of tomorrow', async () => {
    const portal = await openPortal();
    const today = await exportRows(portal, TR, "date=date'2026-03-20'");
    const tomorrow = await exportRows(portal, TR, "date=date'2026-03-21'");
    const lastMeasured = Math.max(
      ...today.filter((row) => row['consommation'] !== '').map(instant),
    );
    expect(today).toHaveLength(96);
    expect(tomorrow).toHaveLength(96);
    expect(new Date(lastMeasured).toISOString()).toBe('2026-03-20T09:00:00.000Z');
    expect(
      today.filter((row) => instant(row) > lastMeasured).every((row) => row['nucleaire'] === ''),
    ).toBe(true);
    expect(today.every((row) => row['prevision_j1'] !== '' && row['prevision_j'] !== '')).toBe(
      true,
    );
    expect(tomorrow.every((row) => row['consommation'] === '' && row['prevision_j1'] === '')).toBe(
      true,
    );
    expect(await exportRows(portal, TR, "date=date'2026-03-22'")).toEqual([]);
  });

  it('knows the day-ahead forecast of tomorrow in the evening', async () => {
    const portal = await openPortal({ now: () => new Date('2026-03-20T18:05:00Z') });
    const tomorrow = await exportRows(portal, TR, "date=date'2026-03-21'");
    expect(tomorrow.every((row) => row['prevision_j1'] !== '' && row['prevision_j'] === '')).toBe(
      true,
    );
  });

  it('reaches back its months and answers older days with the header only', async () => {
    const portal = await openPortal({ publication: { realTimeMonths: 2 } });
    expect(await exportRows(portal, TR, "date=date'2026-01-20'")).toHaveLength(96);
    const older = await exportText(portal, TR, "date=date'2026-01-19'");
    expect(older.split('\n')).toHaveLength(2);
    expect(header(older)).toHaveLength(41);
  });

  it('fills up while the clock moves, hour by hour', async () => {
    let now = new Date('2026-03-20T11:59:00Z');
    const portal = await openPortal({ now: () => now });
    const measured = async (): Promise<number> =>
      (await exportRows(portal, TR, "date=date'2026-03-20'")).filter(
        (row) => row['consommation'] !== '',
      ).length;
    const before = [await measured(), await dataProcessed(portal, TR)];
    now = new Date('2026-03-20T12:01:00Z');
    expect([await measured(), await dataProcessed(portal, TR)]).toEqual([
      Number(before[0]) + 4,
      '2026-03-20T12:00:00+00:00',
    ]);
    expect(before[1]).toBe('2026-03-20T11:00:00+00:00');
  });
});

describe('consolidated dataset', () => {
  it('publishes a month during the following one and nothing after it', async () => {
    let now = new Date('2026-03-09T12:00:00Z');
    const portal = await openPortal({ now: () => now });
    const february = "date >= date'2026-02-01' AND date <= date'2026-02-28'";
    expect(await exportRows(portal, CONS, february)).toEqual([]);
    expect(await exportRows(portal, CONS, "date=date'2026-01-31'")).toHaveLength(96);
    now = new Date('2026-03-10T12:00:00Z');
    const rows = await exportRows(portal, CONS, february);
    expect(rows).toHaveLength(28 * 96);
    expect(new Set(rows.map((row) => row['nature']))).toEqual(new Set(['Données consolidées']));
    expect(await exportRows(portal, CONS, "date=date'2026-03-01'")).toEqual([]);
  });

  it('makes a year definitive in the first half of the next, with slightly other values', async () => {
    let now = new Date('2025-05-31T12:00:00Z');
    const portal = await openPortal({ now: () => now, publication: { layout: '2025' } });
    const where = "date=date'2024-01-15'";
    const consolidated = await exportRows(portal, CONS, where);
    now = new Date('2025-06-01T12:00:00Z');
    const definitive = await exportRows(portal, CONS, where);
    expect(new Set(consolidated.map((row) => row['nature']))).toEqual(
      new Set(['Données consolidées']),
    );
    expect(new Set(definitive.map((row) => row['nature']))).toEqual(
      new Set(['Données définitives']),
    );
    const changes = definitive.map((row, i) =>
      Math.abs(mw(row, 'consommation') - mw(consolidated[i]!, 'consommation')),
    );
    const known = changes.filter((change) => !Number.isNaN(change));
    expect(known).toHaveLength(48);
    expect(Math.max(...known)).toBeGreaterThan(0);
    expect(Math.max(...known)).toBeLessThan(200);
    expect(definitive.map((row) => row['prevision_j1'])).toEqual(
      consolidated.map((row) => row['prevision_j1']),
    );
  });

  it('differs slightly from real time at the same instants', async () => {
    const portal = await openPortal();
    const where = "date=date'2026-02-10'";
    const realTime = new Map(
      (await exportRows(portal, TR, where)).map((row) => [instant(row), mw(row, 'consommation')]),
    );
    const changes = (await exportRows(portal, CONS, where))
      .filter((row) => row['consommation'] !== '')
      .map((row) => Math.abs(mw(row, 'consommation') - realTime.get(instant(row))!));
    expect(changes).toHaveLength(48);
    expect(changes.filter((change) => change > 0).length).toBeGreaterThan(40);
    expect(Math.max(...changes)).toBeLessThan(500);
  });

  it('begins on 2012-01-01', async () => {
    const portal = await openPortal();
    const rows = await exportRows(
      portal,
      CONS,
      "date >= date'2011-12-25' AND date <= date'2012-01-02'",
    );
    expect(new Set(rows.map((row) => row['date']))).toEqual(new Set(['2012-01-01', '2012-01-02']));
    expect(rows[0]!['nature']).toBe('Données définitives');
  });

  it('processes once a day', async () => {
    const portal = await openPortal();
    expect(await dataProcessed(portal, CONS)).toBe('2026-03-19T23:00:00+00:00');
  });
});

describe('layout of an export', () => {
  it('is that of the day of the request: old months have the new columns, empty', async () => {
    const before = await openPortal({ now: () => new Date('2024-06-01T12:00:00Z') });
    const after = await openPortal();
    const where = "date=date'2020-05-05'";
    const old = header(await exportText(before, CONS, where));
    const current = header(await exportText(after, CONS, where));
    expect(old).toHaveLength(37);
    expect(current).toHaveLength(41);
    expect(current.filter((name) => !old.includes(name))).toEqual(FOUR);
    expect(current.indexOf('eolien_terrestre')).toBe(current.indexOf('eolien') + 1);
    expect(current.slice(-2)).toEqual(['stockage_batterie', 'destockage_batterie']);
    for (const row of await exportRows(after, CONS, where))
      for (const name of FOUR) expect(row[name]).toBe('');
    for (const row of await exportRows(after, TR, "date=date'2026-02-02'")) {
      expect(
        Math.abs(mw(row, 'eolien') - mw(row, 'eolien_terrestre') - mw(row, 'eolien_offshore')),
      ).toBeLessThanOrEqual(1);
    }
  });

  it('can be fixed', async () => {
    const portal = await openPortal({ publication: { layout: '2024' } });
    expect(header(await exportText(portal, TR, "date=date'2026-02-02'"))).toHaveLength(37);
  });
});

describe('a revision by the publisher', () => {
  it('changes the load of its days only, and moves data_processed although the clock stands still', async () => {
    const portal = await openPortal();
    const where = "date >= date'2025-11-01' AND date <= date'2025-11-30'";
    const before = await exportRows(portal, CONS, where);
    const times = [await dataProcessed(portal, CONS)];
    portal.revise({ dataset: CONS, from: '2025-11-10', to: '2025-11-11', salt: 1 });
    times.push(await dataProcessed(portal, CONS));
    const after = await exportRows(portal, CONS, where);
    portal.revise({ dataset: CONS, from: '2025-11-11', to: '2025-11-11', salt: 2 });
    times.push(await dataProcessed(portal, CONS));
    const changed = after.filter(
      (row, index) => row['consommation'] !== before[index]!['consommation'],
    );
    expect(new Set(changed.map((row) => row['date']))).toEqual(
      new Set(['2025-11-10', '2025-11-11']),
    );
    expect(changed).toHaveLength(96);
    expect(new Set(times).size).toBe(3);
    expect([...times].sort()).toEqual(times);
    expect(await exportRows(portal, CONS, where)).not.toEqual(after);
  });

  it('gives the same values for the same salt, and leaves the other dataset alone', async () => {
    const [one, same, other] = [await openPortal(), await openPortal(), await openPortal()];
    const where = "date=date'2026-02-02'";
    const untouched = await exportText(one, TR, where);
    for (const [portal, salt] of [
      [one, 5],
      [same, 5],
      [other, 6],
    ] as const) {
      portal.revise({ dataset: CONS, from: '2026-02-02', to: '2026-02-02', salt });
    }
    expect(await exportText(one, CONS, where)).toBe(await exportText(same, CONS, where));
    expect(await exportText(one, CONS, where)).not.toBe(await exportText(other, CONS, where));
    expect(await exportText(one, TR, where)).toBe(untouched);
  });

  it('moves the ETags of exports that hold one of its days, and no others', async () => {
    const portal = await openPortal();
    const etag = async (where: string): Promise<string | null> =>
      (await fetch(exportUrl(portal, CONS, where), { method: 'HEAD' })).headers.get('etag');
    const inside = [
      "date=date'2025-11-10'",
      "date >= date'2025-11-01' AND date <= date'2025-11-30'",
    ];
    const outside = [
      "date=date'2025-11-09'",
      "date >= date'2025-10-01' AND date <= date'2025-10-31'",
    ];
    const before = await Promise.all([...inside, ...outside].map(etag));
    portal.revise({ dataset: CONS, from: '2025-11-10', to: '2025-11-10', salt: 1 });
    const after = await Promise.all([...inside, ...outside].map(etag));
    expect(after.map((tag, index) => tag === before[index])).toEqual([false, false, true, true]);
  });

  it('refuses an unknown dataset and a range that is none', async () => {
    const portal = await openPortal();
    const revision = { dataset: CONS, from: '2025-11-10', to: '2025-11-11', salt: 1 };
    expect(() => {
      portal.revise({ ...revision, dataset: 'nope' });
    }).toThrow(/no dataset nope/);
    expect(() => {
      portal.revise({ ...revision, to: '2025-11-09' });
    }).toThrow(/ends .* before it starts/);
    expect(() => {
      portal.revise({ ...revision, from: '2025-02-30' });
    }).toThrow(/not a date/);
  });
});
