import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { Report } from '../../../src/datasets/cityflow/report/model.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { dates, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import { MADE_PARTS, madeCity } from '../../unit/cityflow/made-city.ts';

/**
 * The report that an earlier system published for 2025-11-04: its keys and sections are the
 * contract, its figures are its known faults.
 */

const REFERENCE_JSON = 'cityflow-reference/daily_report_2025-11-04.json';
const REFERENCE_CSV = 'cityflow-reference/daily_report_2025-11-04.csv';

const DAY = '2025-11-12';
let runner: StepRunner;
let ours: Report;
let csv: string;
let reference: Record<string, unknown>;
let referenceCsv: string;

beforeAll(async () => {
  runner = await openStepRunner(cityflow);
  const sources = await madeCity(runner, dates('2025-11-05', DAY));
  const days = await runner.days(
    MADE_PARTS.map((part) => sources[part]),
    dates('2025-11-05', DAY),
  );
  const done = days.get(DAY)!['report/daily']!;
  ours = await readOutput(done, 'report');
  csv = await readFile(done.outputs['csv']!.path, 'utf8');
  reference = JSON.parse(await readFile(realData(REFERENCE_JSON), 'utf8')) as typeof reference;
  referenceCsv = await readFile(realData(REFERENCE_CSV), 'utf8');
});
afterAll(() => runner.close());

function keysOf(value: unknown): string[] {
  return Object.keys((Array.isArray(value) ? value[0] : value) as object);
}

describeOnRealFiles('the report', [REFERENCE_JSON, REFERENCE_CSV], () => {
  it('has every key that was published, and of every item', () => {
    for (const key of Object.keys(reference)) expect(Object.keys(ours), key).toContain(key);
    for (const key of [
      'summary',
      'meteo_impact',
      'top_10_troncons_frequentes',
      'top_10_zones_congestionnees',
      'alertes_congestion',
      'chantiers_actifs',
    ] as const) {
      expect(keysOf(ours[key]), key).toEqual(expect.arrayContaining(keysOf(reference[key])));
    }
  });

  it('has every section of the published CSV in its order', () => {
    const titles = (text: string) =>
      [...text.matchAll(/^=== (.*) ===/gm)].map(([, title]) => title);
    expect(titles(csv)).toEqual(titles(referenceCsv));
    const labels = (text: string) =>
      text
        .split('\n')
        .slice(0, 6)
        .map((line) => line.split(';')[0]);
    expect(labels(csv)).toEqual(labels(referenceCsv));
  });

  it('has the line ends, separator and encoding of the published CSV', () => {
    const form = (text: string) => ({
      lineEnds: [...new Set(text.match(/\r*\n/g))],
      endsInOne: text.endsWith('\r\n'),
      hasMark: text.startsWith('\uFEFF'),
      first: text.split('\r\n')[0],
      between: new Set(text.split('\r\n').filter((line) => /^;+$/.test(line))).has(';'),
    });
    expect(form(csv)).toEqual(form(referenceCsv));
    expect(form(referenceCsv)).toMatchObject({ lineEnds: ['\r\n'], first: 'Section;Valeur' });
  });

  it('has the columns of every published section, and those that the published CSV cut off', () => {
    const columns = (text: string) =>
      [...text.matchAll(/^=== (.*) ===;+\r\n(.*)\r$/gm)].map(([, title, header = '']) => [
        title,
        header.split(';'),
      ]);
    const published = columns(referenceCsv) as [string, string[]][];
    expect(published).toHaveLength(5);
    const own = new Map(columns(csv) as [string, string[]][]);
    for (const [title, names] of published)
      expect(own.get(title)!.slice(0, 2), title).toEqual(names);
    expect(own.get('ALERTES CONGESTION')).toEqual(['Tronçon', 'Taux Occupation (%)', 'Sévérité']);
    expect(own.get('CHANTIERS ACTIFS')).toEqual([
      'Identifiant',
      'Typologie',
      'Impact',
      'Arrondissement',
    ]);
  });

  it('knows no zone called Unknown', () => {
    expect(JSON.stringify(reference)).toContain('"Unknown"');
    expect(JSON.stringify(ours)).not.toContain('Unknown');
    expect(csv).not.toContain('Unknown');
  });

  it('has peaks of its own day: the published ones are of other months', () => {
    const peaks = (report: { top_10_troncons_frequentes?: unknown }) =>
      (report.top_10_troncons_frequentes as { heure_pic: string }[]).map(({ heure_pic }) =>
        heure_pic.slice(0, 10),
      );
    expect(peaks(reference).every((date) => date === '2025-11-04')).toBe(false);
    expect(peaks(ours).every((date) => date === DAY)).toBe(true);
  });

  it('sums its segments in the summary: the published one says 0 vehicles beside segments of 441,656', () => {
    expect((reference['summary'] as Report['summary']).total_vehicules_paris).toBe(0);
    const segments = ours.top_10_troncons_frequentes.reduce(
      (sum, arc) => sum + (arc.debit_journalier_total ?? 0),
      0,
    );
    expect(ours.summary.total_vehicules_paris).toBe(segments);
    expect(ours.summary.temps_perdu_total_minutes).toBeGreaterThan(0);
  });

  it('has a weather of its own day, and a comparison instead of a note', () => {
    expect((reference['meteo_impact'] as { date: string }).date).toBe('2025-11-03');
    expect(ours.meteo_impact.date).toBe(DAY);
    expect(reference['evolution_vs_semaine_precedente']).toHaveProperty('note');
    expect(ours.evolution_vs_semaine_precedente).toMatchObject({ disponible: true });
  });

  it('lists alerts whose occupancy and state agree', () => {
    const states = (reference['alertes_congestion'] as { etat_trafic_dominant: string }[]).map(
      ({ etat_trafic_dominant }) => etat_trafic_dominant,
    );
    expect(states).toContain('Inconnu');
    for (const alert of ours.alertes_congestion) {
      expect(alert.etat_trafic_dominant).not.toBe('Inconnu');
      expect(['Élevée', 'Critique']).toContain(alert.severite);
    }
    expect(ours.alertes_congestion.length).toBeGreaterThan(0);
  });
});
