import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parc } from '../../../src/datasets/parc/index.ts';
import { kindOf, readRtePage } from '../../../src/datasets/parc/rte-page.ts';
import { openStepRunner, rejection } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(parc);
});
afterAll(() => runner.close());

const monthly = (values: Record<string, Record<string, unknown>>, inner = 'filiere') => ({
  data: { [inner]: { monthlyData: values } },
});

/** A page as RTE has it: charts in its script, between single quotes. */
function page(...charts: object[]): string {
  const literal = (chart: object): string =>
    JSON.stringify(chart).replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return `<html><script>${charts.map((chart) => `x=JSON.parse('${literal(chart)}');`).join('')}</script></html>`;
}

const PRODUCTION = {
  '01_Eolien terrestre': {
    name: 'Eolien terrestre',
    ...monthly({ 2024: { 1: 4.07, 2: null, 3: '3.5' } }),
  },
  '02_Total': { name: "Production d'éolien", ...monthly({ 2024: { 1: 4.5 } }) },
};
const FACTORS = {
  '01_Eolien terrestre - Facteur de charge moyen': {
    name: 'Facteur de charge moyen',
    ...monthly({ 2024: { '01': 27.31 } }, 'global'),
  },
};

async function read(html: string) {
  return readRtePage(await runner.file('eolien.html', html), 'the page');
}

describe('RTE’s page', () => {
  it('gives every monthly figure as published, and none where a month has no value', async () => {
    const figures = await read(page([], { other: 1 }, PRODUCTION, FACTORS));
    expect(figures.map(({ name, month, value }) => [name, month, value])).toEqual([
      ['Eolien terrestre', '2024-01', '4.07'],
      ['Eolien terrestre', '2024-03', '3.5'],
      ["Production d'éolien", '2024-01', '4.5'],
      ['Facteur de charge moyen', '2024-01', '27.31'],
    ]);
  });

  it('reads the escapes of JavaScript, and double quotes', async () => {
    const text = JSON.stringify(PRODUCTION).replaceAll('"', '\\"').replaceAll('é', '\\u00e9');
    const html = `<script>a=JSON.parse("${text}");${page(FACTORS)}</script>`;
    expect((await read(html)).map(({ name }) => name)).toContain("Production d'éolien");
  });

  it('takes neither totals nor the greatest load factor for a source', () => {
    expect(kindOf({ key: '02_Total', name: 'Production éolienne' })).toBeUndefined();
    expect(
      kindOf({ key: '03_Eolien en mer - Facteur de charge max', name: 'Facteur de charge max' }),
    ).toBeUndefined();
    expect(kindOf({ key: '01_Eolien en mer - Facteur de charge moyen', name: '' })).toEqual({
      source: 'eolien_en_mer',
      measure: 'load_factor',
    });
    expect(kindOf({ key: '01_Solaire', name: 'Production solaire' })).toEqual({
      source: 'solaire',
      measure: 'production',
    });
  });

  it('names what it found when it has changed, and does not take a part for the whole', async () => {
    expect(await rejection(read(page(PRODUCTION)))).toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
      message: expect.stringContaining('no monthly load factor') as string,
    });
    expect(await rejection(read('<html>maintenance</html>'))).toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
    });
    const cut = page(PRODUCTION, FACTORS);
    expect(await rejection(read(cut.slice(0, cut.length - 60)))).toMatchObject({
      code: 'SRC_TRUNCATED',
    });
    expect(await rejection(read(''))).toMatchObject({ code: 'SRC_TRUNCATED' });
  });

  it('can be imported, as can the register in each of its dialects', async () => {
    const html = await runner.file('production-eolien.html', page(PRODUCTION, FACTORS));
    expect(await runner.recognise(html)).toMatchObject({
      part: 'rte-eolien',
      from: '2024-01-01',
      to: '2024-03-31',
    });
    const register =
      'Annee;Parc nucleaire (MW);Parc solaire (MW);Parc eolien (MW)\n2019;63130;9435;16494\n';
    const csv = await runner.file('parc-prod-par-filiere.csv', register);
    expect(await runner.recognise(csv)).toMatchObject({
      part: 'odre-parc',
      from: '2019-01-01',
      to: '2020-12-31',
    });
    const dates = ['2019-12-31', '2020-06-01', '2021-01-01'];
    const slices = await runner.slice({ part: 'odre-parc', path: csv }, dates);
    expect(slices.map(({ facts }) => facts['rows'])).toEqual([1, 1, 0]);
    const [done] = await runner.step('transform/parc', [
      {
        scope: '2019-12-31',
        day: { date: '2019-12-31', zone: 'Europe/Paris', startAt: '', endAt: '', hours: 24 },
        inputs: { 'odre-parc': [slices[0]!.outputs['slice']!] },
      },
    ]);
    const rows = await runner.sql((sql) =>
      sql.rows(
        `SELECT source, capacity_mw FROM read_parquet('${done!.outputs['core']!.path}') ORDER BY source`,
      ),
    );
    expect(rows).toEqual([
      { source: 'eolien', capacity_mw: 16_494 },
      { source: 'nucleaire', capacity_mw: 63_130 },
      { source: 'solaire', capacity_mw: 9_435 },
    ]);
  });
});
