import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { SECTIONS } from '../../../src/datasets/cityflow/definition.ts';
import type { Report } from '../../../src/datasets/cityflow/report/model.ts';
import type { StepRunner, Done, Source } from '../../fixtures/step-runner.ts';
import { dates, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { MadePart } from './made-city.ts';
import { MADE_PARTS, madeCity } from './made-city.ts';

const DAY = '2025-11-12';
let runner: StepRunner;
let sources: Record<MadePart, Source>;

beforeAll(async () => {
  runner = await openStepRunner(cityflow);
  sources = await madeCity(runner, dates('2025-11-05', DAY));
});
afterAll(() => runner.close());

interface Made {
  readonly report: Report;
  readonly csv: string;
  readonly page: string;
  readonly done: Readonly<Record<string, Done>>;
}

async function make(parts: readonly MadePart[], days = [DAY]): Promise<Made> {
  const all = await runner.days(
    parts.map((part) => sources[part]),
    days,
  );
  const done = all.get(DAY)!;
  const text = async (step: string, output: string): Promise<string> =>
    readFile(done[step]!.outputs[output]!.path, 'utf8');
  return {
    report: await readOutput(done['report/daily'], 'report'),
    csv: await text('report/daily', 'csv'),
    page: await text('report/page', 'page'),
    done,
  };
}

/** The sections of a CSV with their rows as fields. */
function sectionsOf(csv: string): Map<string, string[][]> {
  const sections = new Map<string, string[][]>([['', []]]);
  let current = '';
  for (const line of csv.trimEnd().split('\r\n')) {
    const title = /^=== (.*) ===/.exec(line)?.[1];
    if (title !== undefined) sections.set((current = title), []);
    else if (/^;+$/.test(line)) continue;
    else sections.get(current)!.push(line.split(';'));
  }
  return sections;
}

const WIDTHS = {
  '': 2,
  'TOP 10 TRONÇONS FRÉQUENTÉS': 2,
  'TOP 10 ZONES CONGESTIONNÉES': 2,
  'CAPTEURS DÉFAILLANTS': 2,
  'ALERTES CONGESTION': 3,
  'CHANTIERS ACTIFS': 4,
};

function expectShape(csv: string): void {
  const sections = sectionsOf(csv);
  expect([...sections.keys()]).toEqual(Object.keys(WIDTHS));
  for (const [title, width] of Object.entries(WIDTHS)) {
    for (const row of sections.get(title)!)
      expect(row, `${title}: ${row.join(';')}`).toHaveLength(width);
  }
}

describe('the report of a whole day', () => {
  let made: Made;
  beforeAll(async () => {
    made = await make(MADE_PARTS, dates('2025-11-05', DAY));
  });

  it('has all six sections ok, and compares with the same weekday of last week', () => {
    expect(made.report.sections).toEqual(Object.fromEntries(SECTIONS.map((name) => [name, 'ok'])));
    expect(made.report.evolution_vs_semaine_precedente).toMatchObject({
      disponible: true,
      date_reference: '2025-11-05',
    });
  });

  it('has the sums of its sources', () => {
    expect(made.report.summary).toEqual({
      total_vehicules_paris: 24 * 600 + 3 * 276,
      temps_perdu_total_minutes: made.report.top_10_zones_congestionnees.reduce(
        (sum, arc) => Math.round((sum + arc.temps_perdu_total_minutes) * 1e3) / 1e3,
        0,
      ),
      nombre_troncons_satures: made.report.summary.nombre_troncons_satures,
      taux_disponibilite_capteurs: 100,
      total_velos_paris: 24 * 40 + 276,
    });
    expect(made.report.chantiers_actifs).toHaveLength(1);
    expect(made.report.capteurs_defaillants).toEqual([]);
  });

  it('gives every section of the CSV its own columns', () => {
    expectShape(made.csv);
    expect(sectionsOf(made.csv).get('CHANTIERS ACTIFS')).toEqual([
      ['Identifiant', 'Typologie', 'Impact', 'Arrondissement'],
      ['CP1', '1', 'RESTREINTE', '75001'],
    ]);
    expect(sectionsOf(made.csv).get('CAPTEURS DÉFAILLANTS')![1]![0]).toBe(
      'Aucun capteur défaillant',
    );
  });

  it('states its thresholds and what it was made from', () => {
    expect(made.report.seuils).toMatchObject({
      critical_occupancy_pct: 80,
      reference_speed_kmh: 50,
    });
    expect(made.report.provenance.metrics['comptages']!.sha256).toBe(
      made.done['metrics/comptages']!.outputs['metrics']!.ref.sha256,
    );
    expect(made.report.generated_at).toBeNull();
  });

  it('is drawn on a page that asks nobody for anything', () => {
    expect(made.page).toContain('<svg class="map"');
    expect(made.page).toContain('class="work"');
    expect(made.page).not.toMatch(
      /<script|<link[^>]*href="(?!data:)|src=|url\(|@import|https?:\/\/(?!www\.w3\.org)/,
    );
    expect(made.page.match(/<rect/g)!.length).toBeGreaterThan(24);
  });

  it('exports flat tables that read back', async () => {
    const rows = await runner.sql((sql) =>
      sql.rows(
        `SELECT identifiant_arc, debit_journalier_total, heure_pic FROM read_parquet('${made.done['report/daily']!.outputs['arcs']!.path}') ORDER BY 1`,
      ),
    );
    expect(rows[0]).toEqual({
      identifiant_arc: '100',
      debit_journalier_total: 2_676,
      heure_pic: '2025-11-12T22:00:00',
    });
  });

  it('has the same bytes when it is made again', async () => {
    const again = await make(MADE_PARTS, dates('2025-11-05', DAY));
    expect([again.csv, again.page]).toEqual([made.csv, made.page]);
    expect(again.report).toEqual(made.report);
  });
});

describe('the report without a source', () => {
  const SECTION_OF: Partial<Record<MadePart, string>> = {
    bikes: 'bikes',
    traffic: 'traffic',
    weather: 'weather',
    comptages: 'comptages',
    chantiers: 'chantiers',
    referentiel: 'referentiel',
  };

  it.each(MADE_PARTS)('%s: is made, says so, and keeps its shape', async (missing) => {
    const { report, csv, page } = await make(MADE_PARTS.filter((part) => part !== missing));
    expectShape(csv);
    const section = SECTION_OF[missing];
    if (section === undefined) {
      // Without districts the network cannot place its arcs, nor the bikes their counters.
      expect(report.sections).toMatchObject({ bikes: 'degraded', referentiel: 'degraded' });
      expect(report.section_details.bikes.reasons.join()).toContain('arrondissement');
    } else {
      expect(report.sections[section as 'bikes']).toBe('no_data');
      expect(report.section_details[section as 'bikes'].reasons[0]).toContain('aucune donnée');
    }
    if (missing === 'referentiel') expect(report.sections.comptages).toBe('degraded');
    expect(page).toContain('</html>');
  });

  it('of any kind has its keys, nulls for figures, and five sentences in its CSV', async () => {
    const { report, csv, page } = await make([]);
    expect(Object.values(report.sections)).toEqual(SECTIONS.map(() => 'no_data'));
    expect(Object.values(report.summary)).toEqual([null, null, null, null, null]);
    expect(report.meteo_impact).toEqual({});
    expectShape(csv);
    expect(csv.match(/Aucune donnée disponible/g)).toHaveLength(10);
    expect(page).toContain('rien reçu');
    expect(page).toContain('n’a rien publié');
  });

  it('states the thresholds and versions of what it has alone', async () => {
    const { report } = await make(['bikes']);
    expect(Object.keys(report.seuils).every((name) => /^(bike|anomaly)/.test(name))).toBe(true);
    expect(report.seuils.bike_index_full).toBe(100_000);
    expect(Object.keys(report.provenance.step_versions)).toEqual([
      'transform/bikes',
      'metrics/bikes',
      'metrics/digest',
      'metrics/history',
    ]);
  });

  it('tells nothing wrong from nothing known', async () => {
    const { csv } = await make(['chantiers', 'bikes']);
    const sections = sectionsOf(csv);
    expect(sections.get('ALERTES CONGESTION')![1]![0]).toBe('Aucune donnée disponible');
    expect(sections.get('CAPTEURS DÉFAILLANTS')![1]![0]).toBe('Aucun capteur défaillant');
  });
});
