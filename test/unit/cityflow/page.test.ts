import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { DayMetrics, Report } from '../../../src/datasets/cityflow/report/model.ts';
import type { PageInputs } from '../../../src/datasets/cityflow/report/page/inputs.ts';
import { renderReportPage } from '../../../src/datasets/cityflow/report/page/page.tsx';
import { nothingKnown, withUnanswered } from '../../../src/datasets/cityflow/report/sections.ts';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { dates, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import { madeCity } from './made-city.ts';

/** What the page of a made-up city says to its reader. */

const DAY = '2025-11-12';
let runner: StepRunner;
let inputs: PageInputs;
let page: string;

beforeAll(async () => {
  runner = await openStepRunner(cityflow);
  const sources = await madeCity(runner, dates('2025-11-05', DAY));
  const days = await runner.days(Object.values(sources), dates('2025-11-05', DAY));
  const done = days.get(DAY)!;
  const names = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers', 'referentiel'] as const;
  const metrics: Record<string, unknown> = {
    history: await readOutput(done['metrics/history'], 'history'),
  };
  for (const name of names) metrics[name] = await readOutput(done[`metrics/${name}`], 'metrics');
  inputs = {
    report: await readOutput(done['report/daily'], 'report'),
    metrics: metrics as unknown as DayMetrics,
    map: await readOutput(done['transform/referentiel'], 'map'),
    thresholds: THRESHOLDS,
  };
  page = renderReportPage(inputs);
});
afterAll(() => runner.close());

/** The page's words, without its style and its tags. */
function wordsOf(html: string): string {
  return html
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[\s\u00a0\u202f]+/g, ' ');
}

function withReport(change: Partial<Report>): string {
  return renderReportPage({ ...inputs, report: { ...inputs.report, ...change } });
}

function withWeather(conditions: string): string {
  const weather = inputs.metrics.weather!;
  const metrics = {
    ...inputs.metrics,
    weather: { ...weather, metrics: { ...weather.metrics, conditions } },
  };
  return renderReportPage({ ...inputs, metrics });
}

describe('the words of the city page', () => {
  it('are French, not the keys of files', () => {
    expect(wordsOf(page)).not.toMatch(/\b[a-zA-Z]+_[a-zA-Z_]+\b/);
    expect(wordsOf(page)).toContain(
      'Couverture : 3 tronçons vus sur 3 attendus ; 72 heures de capteur observées sur 72',
    );
    for (const name of Object.keys(THRESHOLDS)) expect(page).not.toContain(name);
  });

  it('translate the weather, and leave what they do not know as it was published', () => {
    expect(withWeather('Rain, Partially cloudy')).toContain(
      '<caption>Pluie, partiellement nuageux</caption>',
    );
    expect(withWeather('Overcast, Sandstorm')).toContain('<caption>Couvert, Sandstorm</caption>');
  });

  it('write counts whole and say no percentage of a temperature', () => {
    const rows = wordsOf(page.slice(page.indexOf('id="evolution"')));
    expect(rows).toMatch(/Véhicules comptés 15 228 15 228 0 0,0/);
    expect(rows).toMatch(/Température moyenne \(°C\) 11,6 11,6 0,0 –/);
  });

  it('say where a list is shortened', () => {
    const alert = inputs.report.alertes_congestion[0]!;
    const alertes = Array.from({ length: 20 }, (_, index) => ({
      ...alert,
      identifiant_arc: `${index}`,
    }));
    const short = withReport({
      alertes_congestion: alertes,
      totaux: { ...inputs.report.totaux, alertes: 32 },
    });
    expect(short).toContain('<caption>Alertes de congestion (20 sur 32)</caption>');
    expect(page).toContain(
      `<caption>Alertes de congestion (${inputs.report.alertes_congestion.length})</caption>`,
    );
  });

  it('say that the index of bikes ends at 100', () => {
    const bikes = { ...inputs.metrics.bikes!, total_velos: 290_424, frequentation_index: 100 };
    const full = renderReportPage({ ...inputs, metrics: { ...inputs.metrics, bikes } });
    expect(wordsOf(full)).toContain(
      '100, son maximum, atteint dès 100 000 vélos (290 424 ce jour)',
    );
    expect(wordsOf(page)).toContain('1,2 sur 100 (100 : 100 000 vélos)');
  });

  it('name the made-up parts of sample data', () => {
    const words = wordsOf(withReport({ sample_data: ['bikes', 'open-meteo'] }));
    expect(words).toContain(
      'Données d’exemple (sample data) , inventées pour l’essai : Vélos, Open-Meteo.',
    );
  });
});

describe('the state of a section on the city page', () => {
  it('is complete only when every hour of what usually comes is there', () => {
    const { comptages } = inputs.report.section_details;
    const details = {
      ...inputs.report.section_details,
      comptages: { ...comptages, coverage: { ...comptages.coverage, habituels_taux: 0.885795 } },
    };
    const states = /<nav aria-label="Sections du rapport">.*?<\/nav>/s.exec(
      withReport({ section_details: details }),
    )![0];
    expect(wordsOf(states)).toContain('Trafic routier 88,6 % des heures');
    expect(states.match(/class="status ok"/g)).toHaveLength(5);
    expect(page.match(/class="status ok"/g)).toHaveLength(6);
  });

  it('without data tells a publisher that had nothing from one that was not heard', () => {
    const traffic = {
      status: 'no_data',
      reasons: [nothingKnown('traffic')],
      coverage: {},
    } as const;
    const details = { ...inputs.report.section_details, traffic };
    const words = wordsOf(withReport({ section_details: details }));
    expect(words).toContain('Transports en commun rien reçu');
    expect(words).toContain(
      'Rien n’a été reçu d’Île-de-France Mobilités pour ce jour : le diffuseur n’a rien publié',
    );
    const silent = withUnanswered(details, [
      { part: 'traffic', code: 'NOT_ANSWERED' },
      { part: 'open-meteo', code: 'NOT_USABLE' },
    ]);
    const told = wordsOf(withReport({ section_details: silent }));
    expect(told).toContain('Transports en commun : le diffuseur n’a pas répondu');
    expect(told).toContain('Open-Meteo : la réponse du diffuseur n’a pas pu être prise');
    expect(told).not.toContain('n’a rien publié');
  });
});

describe('the drawings of the city page', () => {
  const map = (): string => /<svg class="map".*?<\/svg>/s.exec(page)![0];

  it('show the most congested state of each segment, as its alerts do', () => {
    const arcs = inputs.metrics.comptages!.metrics;
    expect(arcs.map((arc) => arc.alerte?.severite)).toEqual(['Critique', 'Critique', 'Critique']);
    const calm = arcs.map((arc, index) => ({
      ...arc,
      etat_trafic_dominant: 'Fluide' as const,
      taux_occupation_max: index === 0 ? 10 : arc.taux_occupation_max,
    }));
    const comptages = { ...inputs.metrics.comptages!, metrics: calm };
    const drawn = renderReportPage({ ...inputs, metrics: { ...inputs.metrics, comptages } });
    expect(
      [...drawn.matchAll(/class="arc ([a-z-]+)" [^>]*>(.*?)<\/g>/g)].map(([, state, lines]) => [
        state,
        lines!.match(/<path/g)!.length,
      ]),
    ).toEqual([
      ['state-fluid', 1],
      ['state-blocked', 2],
    ]);
    expect(drawn).toContain('au pire Bloqué, le plus souvent Fluide');
  });

  it('name the street of every segment under the pointer, and have a scale', () => {
    const titles = [...map().matchAll(/<use href="#arc-(\d+)"><title>([^<]*)</g)];
    expect(titles.map(([, id]) => id).sort()).toEqual(['100', '101', '102']);
    for (const [, , title] of titles)
      expect(title).toMatch(/ véhicules · au pire Bloqué, le plus souvent /);
    expect(map()).toMatch(/<g class="scale"><path d="[^"]+"><\/path><text[^>]*>\d+ k?m</);
  });

  it('all have their legends', () => {
    const legends = [...page.matchAll(/<ul class="legend">(.*?)<\/ul>/gs)].map(([, items]) =>
      wordsOf(items!),
    );
    expect(legends).toHaveLength(5);
    expect(legends.join()).toMatch(
      /Bloqué \(3\).*La journée.*Jour type.*le maximum.*Sévérité critique/,
    );
  });
});

it('every head of a table on the city page has words', () => {
  expect(page).toContain('<th scope="col">');
  expect(page).not.toMatch(/<th[^>]*><\/th>/);
});

it('keeps headings with what they head, and rows whole, where the city page is printed', () => {
  const print = page.slice(page.lastIndexOf('@media print'), page.indexOf('</style>'));
  expect(print).toMatch(/tr,li,p\{break-inside:avoid\}/);
  expect(print).toMatch(/h3,caption,\.legend,\.section-head\+\.note\{break-after:avoid\}/);
});
