import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Portal } from '../src/portal.ts';
import { startPortal } from '../src/portal.ts';

/** What the sample portal serves of the made-up Paris, asked as its clients ask. */

const CATALOG = '/api/explore/v2.1/catalog/datasets';
let portal: Portal;

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-11-02T12:30:00Z'), seed: 7 });
});
afterAll(() => portal.close());

async function text(path: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${portal.url}${path}`, { headers });
  expect(response.status, path).toBe(200);
  return response.text();
}

async function json<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
  return JSON.parse(await text(path, headers)) as T;
}

/** Lines of road counts of one day as fields; labels have no delimiter in them. */
async function counts(from: string, to: string): Promise<string[][]> {
  const where = encodeURIComponent(`t_1h>date'${from}' and t_1h<=date'${to}'`);
  const csv = await text(
    `${CATALOG}/comptages-routiers-permanents/exports/csv?delimiter=%3B&use_labels=true&timezone=Europe%2FParis&where=${where}`,
  );
  const [header = '', ...lines] = csv.trimEnd().split('\r\n');
  expect(header).toContain('Identifiant arc;Libelle;Date et heure de comptage;Débit horaire');
  return lines.map((line) => line.split(';'));
}

describe('road counts of the sample portal', () => {
  it('have no order, gaps, twins, and flow and occupancy missing independently of each other', async () => {
    const rows = await counts('2026-10-19T22:00:00Z', '2026-10-20T22:00:00Z');
    const times = rows.map(([, , at]) => at!);
    expect(times).not.toEqual([...times].sort());
    expect(new Set(times).size).toBe(24);
    expect(times).toContain('2026-10-21T00:00:00+02:00');
    const keys = new Set(rows.map(([arc, , at]) => `${arc!}/${at!}`));
    expect(keys.size).toBeLessThan(rows.length);
    expect(keys.size).toBeLessThan(220 * 24 * 0.96);
    expect(keys.size).toBeGreaterThan(220 * 24 * 0.8);
    expect(rows.filter(([, , , q, k]) => q === '' && k !== '').length).toBeGreaterThan(50);
    expect(rows.filter(([, , , q, k]) => q !== '' && k === '').length).toBeGreaterThan(30);
    const invalid = rows.filter((fields) => fields[10] === 'Invalide').length;
    expect(invalid / rows.length).toBeGreaterThan(0.96);
  });

  it('have only the second 02:00 in autumn, and no values at 03:00 in spring', async () => {
    const autumn = (await counts('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z')).map(
      ([, , at]) => at,
    );
    expect(autumn).toContain('2026-10-25T02:00:00+01:00');
    expect(autumn).not.toContain('2026-10-25T02:00:00+02:00');
    const spring = await counts('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z');
    const gap = spring.filter(([, , at]) => at === '2026-03-29T03:00:00+02:00');
    expect(gap.length).toBeGreaterThan(100);
    expect(gap.every(([, , , q, k]) => q === '' && k === '')).toBe(true);
  });

  it('are the same values whatever range they are asked in, and end with the clock', async () => {
    const day = new Set(
      (await counts('2026-10-19T22:00:00Z', '2026-10-20T22:00:00Z')).map((row) =>
        row.slice(0, 5).join(),
      ),
    );
    const week = (await counts('2026-10-17T22:00:00Z', '2026-10-24T22:00:00Z')).map((row) =>
      row.slice(0, 5).join(),
    );
    expect(new Set(week.filter((row) => day.has(row))).size).toBe(day.size);
    expect(await counts('2026-11-02T12:30:00Z', '2026-11-05T12:00:00Z')).toEqual([]);
  });
});

describe('bike counts of the sample portal', () => {
  const where = `where=${encodeURIComponent("date>=date'2026-10-20T22:00:00Z' and date<date'2026-10-21T22:00:00Z'")}`;
  const records = `${CATALOG}/comptage-velo-donnees-compteurs/records?${where}`;

  it('have far more records a day than a page holds, and the pages make the export', async () => {
    const whole = await json<{ id_compteur: string; date: string }[]>(
      `${CATALOG}/comptage-velo-donnees-compteurs/exports/json?${where}`,
    );
    const first = await json<{ total_count: number; results: object[] }>(`${records}&limit=100`);
    expect(first.total_count).toBe(whole.length);
    expect(whole.length).toBeGreaterThan(2_000);
    const last = await json<{ results: object[] }>(
      `${records}&limit=100&offset=${Math.floor(whole.length / 100) * 100}`,
    );
    expect(last.results).toEqual(whole.slice(Math.floor(whole.length / 100) * 100));
    expect(whole[0]!.date).toBe('2026-10-20T22:00:00+00:00');
    const refused = await fetch(`${portal.url}${records}&limit=101`);
    expect(refused.status).toBe(400);
    await refused.body?.cancel();
  });
});

describe('the other sources of the sample portal', () => {
  it('give a network whose arcs have several rows and no length', async () => {
    const csv = await text(
      `${CATALOG}/referentiel-comptages-routiers/exports/csv?use_labels=true&delimiter=%3B`,
    );
    const rows = csv.trimEnd().split('\n').slice(1);
    const arcs = new Set(rows.map((row) => row.split(';')[0]));
    expect(arcs.size).toBe(220);
    expect(rows.length).toBeGreaterThan(arcs.size);
    expect(rows.every((row) => row.endsWith(';0.0'))).toBe(true);
  });

  it('give 20 districts as GeoJSON', async () => {
    const { features } = await json<{ features: { properties: { c_ar: number } }[] }>(
      `${CATALOG}/arrondissements/exports/geojson`,
    );
    expect(features.map(({ properties }) => properties.c_ar)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it('ask for a key where the publishers do', async () => {
    const disruptions =
      '/marketplace/v2/navitia/line_reports/line_reports?since=20261020T000000&until=20261020T235959';
    const weather =
      '/VisualCrossingWebServices/rest/services/timeline/Paris,France/2026-10-20/2026-10-21';
    for (const path of [disruptions, weather]) {
      const refused = await fetch(`${portal.url}${path}`);
      expect(refused.status).toBe(401);
      await refused.body?.cancel();
    }
    const answer = await json<{ disruptions: { application_periods: { begin: string }[] }[] }>(
      disruptions,
      {
        apikey: 'k',
      },
    );
    expect(answer.disruptions.length).toBeGreaterThan(15);
    expect(answer.disruptions[0]!.application_periods[0]!.begin).toMatch(/^\d{8}T\d{6}$/);
    const pages = await Promise.all(
      [0, 1, 2].map((page) =>
        json<{ pagination: { total_result: number }; disruptions: object[] }>(
          `${disruptions}&count=10&start_page=${page}`,
          { apikey: 'k' },
        ),
      ),
    );
    expect(pages.flatMap((page) => page.disruptions)).toEqual(answer.disruptions);
    expect(pages[0]!.pagination.total_result).toBe(answer.disruptions.length);
    const { days } = await json<{ days: { datetime: string; temp: number }[] }>(`${weather}?key=k`);
    expect(days.map(({ datetime }) => datetime)).toEqual(['2026-10-20', '2026-10-21']);
    const meteo = await json<{ daily: { temperature_2m_mean: number[] } }>(
      '/v1/archive?start_date=2026-10-20&end_date=2026-10-21',
    );
    expect(meteo.daily.temperature_2m_mean).toEqual(days.map(({ temp }) => temp));
  });
});
