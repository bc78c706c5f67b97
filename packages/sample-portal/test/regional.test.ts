import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPortal } from '../src/portal.ts';
import type { Portal } from '../src/portal.ts';

const NOW = new Date('2026-05-20T10:00:00Z');
const CATALOG = '/api/explore/v2.1/catalog/datasets';

let portal: Portal;

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
});
afterAll(() => portal.close());

async function rowsOf(
  dataset: string,
  where: string,
  more = '',
): Promise<Record<string, string>[]> {
  const query = `delimiter=%3B&timezone=Europe%2FParis&where=${encodeURIComponent(where)}${more}`;
  const answer = await fetch(`${portal.url}${CATALOG}/${dataset}/exports/csv?${query}`);
  const [head = '', ...lines] = (await answer.text()).trimEnd().split('\n');
  const names = head.split(';');
  return lines.map((line) =>
    Object.fromEntries(line.split(';').map((cell, index) => [names[index]!, cell])),
  );
}

describe('the regional datasets of the sample portal', () => {
  it('divide the national rows among twelve regions, instant by instant', async () => {
    const where = "date=date'2026-05-10'";
    const national = await rowsOf('eco2mix-national-tr', where);
    const regional = await rowsOf('eco2mix-regional-tr', where);
    expect(regional).toHaveLength(12 * national.length);
    for (const row of national) {
      const own = regional.filter(({ date_heure: at }) => at === row['date_heure']);
      const sum = (name: string): number =>
        own.reduce((total, region) => total + Number(region[name]), 0);
      const fossil = ['fioul', 'charbon', 'gaz'].reduce(
        (total, name) => total + Number(row[name]),
        0,
      );
      for (const name of [
        'consommation',
        'nucleaire',
        'eolien',
        'solaire',
        'hydraulique',
        'pompage',
        'bioenergies',
      ])
        expect(sum(name), name).toBe(Number(row[name]));
      expect(sum('thermique')).toBe(fossil);
    }
  });

  it('balance each region, and give its rates in percent', async () => {
    for (const row of await rowsOf('eco2mix-regional-tr', "date=date'2026-05-10'")) {
      const of = (name: string): number => Number(row[name]);
      const supply = [
        'thermique',
        'nucleaire',
        'eolien',
        'solaire',
        'hydraulique',
        'pompage',
        'bioenergies',
      ];
      const others = ['ech_physiques', 'stockage_batterie', 'destockage_batterie'];
      expect([...supply, ...others].reduce((sum, name) => sum + of(name), 0)).toBe(
        of('consommation'),
      );
      expect(of('tco_solaire')).toBeCloseTo((100 * of('solaire')) / of('consommation'), 1);
    }
  });

  it('have half-hours alone once they are consolidated, and labels when asked', async () => {
    const rows = await rowsOf(
      'eco2mix-regional-cons-def',
      "date=date'2026-03-10'",
      '&use_labels=true',
    );
    expect(rows).toHaveLength(12 * 48);
    expect(new Set(rows.map((row) => row['Heure']!.slice(3)))).toEqual(new Set(['00', '30']));
    expect(rows[0]).toMatchObject({
      'Code INSEE région': '11',
      Région: 'Île-de-France',
      Nature: 'Données consolidées',
    });
    expect(rows[0]!['Consommation (MW)']).toMatch(/^\d+$/);
  });

  it('have no rows of quarters to come, and none before 2013', async () => {
    const today = await rowsOf('eco2mix-regional-tr', "date=date'2026-05-20'");
    expect(today.at(-1)!['consommation']).not.toBe('');
    expect(today.every(({ date_heure: at }) => Date.parse(at!) < NOW.getTime())).toBe(true);
    expect(await rowsOf('eco2mix-regional-cons-def', "date=date'2012-12-31'")).toEqual([]);
    expect(await rowsOf('eco2mix-regional-cons-def', "date=date'2013-01-01'")).toHaveLength(
      12 * 48,
    );
  });

  it('change with a revision, which moves their freshness', async () => {
    const freshness = async (): Promise<string> => {
      const answer = await fetch(`${portal.url}${CATALOG}/eco2mix-regional-tr`);
      return ((await answer.json()) as { metas: { default: { data_processed: string } } }).metas
        .default.data_processed;
    };
    const before = {
      at: await freshness(),
      rows: await rowsOf('eco2mix-regional-tr', "date=date'2026-05-11'"),
    };
    portal.revise({
      dataset: 'eco2mix-regional-tr',
      from: '2026-05-11',
      to: '2026-05-11',
      salt: 2,
    });
    expect((await freshness()) > before.at).toBe(true);
    expect(await rowsOf('eco2mix-regional-tr', "date=date'2026-05-11'")).not.toEqual(before.rows);
  });

  it('page their records', async () => {
    const query = `limit=13&offset=0&where=${encodeURIComponent("date=date'2026-05-10'")}`;
    const answer = await fetch(`${portal.url}${CATALOG}/eco2mix-regional-tr/records?${query}`);
    const page = (await answer.json()) as {
      total_count: number;
      results: { code_insee_region: string }[];
    };
    expect(page.total_count).toBe(12 * 96);
    expect(page.results.map((row) => row.code_insee_region).slice(10)).toEqual(['84', '93', '11']);
  });
});
