import { describe, expect, it } from 'vitest';
import { reportNational } from '../../../src/datasets/eco2mix/report/steps.ts';
import { ALL_BUT_LOAD, dayComparison, dayMetrics } from '../../fixtures/eco2mix-metrics.ts';
import {
  jsonArtefact,
  PASSED_CHECKS,
  reportOf,
  runNational,
  taskOf,
  textOf,
  TOOLS,
  unitOf,
} from './report-run.ts';

const complete = dayMetrics();
const sparse = dayMetrics({
  date: '2018-06-06',
  layout: 'cons-def',
  without: ALL_BUT_LOAD,
  revision: 'definitive',
});
const empty = dayMetrics({ gaps: { '*': [[0, 100]] } });

describe('report/national', () => {
  it('calls a complete day ok in every section', async () => {
    const { model, result } = await reportOf({
      metrics: complete,
      comparison: dayComparison(complete),
    });
    expect(model).toMatchObject({
      schema: 'eco2mix.report/1',
      date: '2024-01-15',
      zone: 'Europe/Paris',
      hours: 24,
    });
    expect(model.status).toBe('ok');
    expect(Object.values(model.sections)).toEqual(Array(7).fill({ status: 'ok', reasons: [] }));
    expect(result.facts).toMatchObject({
      revision: 'consolidated',
      coverage: 1,
      rows: 96,
      status: 'ok',
    });
    expect(result.checks).toEqual([]);
  });

  it('carries metrics and comparison unchanged', async () => {
    const comparison = dayComparison(complete);
    const { model } = await reportOf({ metrics: complete, comparison });
    expect(model.metrics).toEqual(complete);
    expect(model.comparison).toEqual(comparison);
  });

  it('says of a day of load alone what was not published', async () => {
    const { model } = await reportOf({ metrics: sparse });
    expect(model.status).toBe('degraded');
    expect(model.sections.load.status).toBe('ok');
    expect(model.sections.forecasts).toEqual({
      status: 'no_data',
      reasons: [{ code: 'not_published', quantities: ['prevision_j1', 'prevision_j'] }],
    });
    expect(model.sections.generation.status).toBe('no_data');
    expect(model.sections.exchanges.status).toBe('no_data');
    expect(model.sections.carbon_intensity.status).toBe('no_data');
    expect(model.sections.comparison).toEqual({
      status: 'no_data',
      reasons: [{ code: 'comparison_not_made' }],
    });
  });

  it('is without data when no load was published', async () => {
    const { model, result } = await reportOf({ metrics: empty, checks: [] });
    expect(model.status).toBe('no_data');
    expect(Object.values(model.sections).map(({ status }) => status)).toEqual(
      Array(7).fill('no_data'),
    );
    expect(result.facts).toMatchObject({ revision: null, coverage: 0, status: 'no_data' });
  });

  it('names the columns with holes and how much of them was observed', async () => {
    const metrics = dayMetrics({ gaps: { nucleaire: [[10, 20]] }, without: ['charbon'] });
    const { model } = await reportOf({ metrics, comparison: dayComparison(metrics) });
    expect(model.sections.generation).toEqual({
      status: 'degraded',
      reasons: [
        { code: 'not_published', quantities: ['charbon'] },
        {
          code: 'incomplete',
          quantities: [
            { quantity: 'nucleaire', expected_samples: 96, observed_samples: 86, coverage: 0.8958 },
          ],
        },
      ],
    });
    expect(model.sections.comparison.reasons).toEqual([{ code: 'energies_incomplete' }]);
  });

  it('does not miss batteries in years that had none', async () => {
    const metrics = dayMetrics({ without: ['stockage_batterie', 'destockage_batterie'] });
    const { model } = await reportOf({ metrics, comparison: dayComparison(metrics) });
    expect(model.sections.generation.status).toBe('ok');
  });

  it('tells forecasts without a load from forecasts that are missing', async () => {
    const { model } = await reportOf({ metrics: dayMetrics({ without: ['consommation'] }) });
    expect(model.sections.forecasts).toEqual({
      status: 'degraded',
      reasons: [{ code: 'no_load_to_compare' }],
    });
  });

  it('names the reference days that are missing', async () => {
    const some = await reportOf({
      metrics: complete,
      comparison: dayComparison(complete, ['previous_year']),
    });
    expect(some.model.sections.comparison).toEqual({
      status: 'degraded',
      reasons: [{ code: 'reference_days_missing', comparisons: ['previous_year'] }],
    });
    const none = dayComparison(complete, ['previous_day', 'previous_week', 'previous_year']);
    expect(
      (await reportOf({ metrics: complete, comparison: none })).model.sections.comparison.status,
    ).toBe('no_data');
  });

  it('sums up the checks of the day’s table', async () => {
    const failing = { ...PASSED_CHECKS[0]!, failed: 2, examples: [{ load_mw: null }] };
    const { model } = await reportOf({ metrics: complete, checks: [failing, PASSED_CHECKS[1]!] });
    expect(model.checks).toEqual({ made: 2, failed: 1, results: [failing, PASSED_CHECKS[1]] });
    expect(model.sections.checks.reasons).toEqual([{ code: 'checks_failed', checks: ['balance'] }]);
  });

  it('says what the day was made from, by content', async () => {
    const versions = { 'transform/national': 3, 'metrics/national': 2 };
    const { model } = await reportOf({ metrics: complete }, { step_versions: versions });
    expect(model.provenance.slices).toEqual([
      { part: 'tr', dataset: 'eco2mix-national-tr', rows: 96, sha256: 'a'.repeat(64) },
      { part: 'cons-def', dataset: 'eco2mix-national-cons-def', rows: 96, sha256: 'c'.repeat(64) },
    ]);
    expect(model.provenance.artefacts.metrics.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(model.provenance.artefacts.comparison).toBeNull();
    expect(model.provenance.step_versions).toEqual(versions);
  });

  it('reads the facts it knows of a core that recorded none', async () => {
    const { model } = await reportOf({ metrics: complete, facts: {} });
    expect(model.provenance).toMatchObject({ slices: [], unknown_columns: [], step_versions: {} });
  });

  it('lists every figure of the day with unit, instant and coverage, in the same order for every day', async () => {
    const { table, model } = await reportOf({ metrics: complete });
    expect(table.columns.map(({ name }) => name)).toEqual([
      'date',
      'indicator',
      'value',
      'unit',
      'instant',
      'coverage',
    ]);
    const row = (name: string) => table.rows.find((cells) => cells[1] === name);
    expect(row('load_energy')).toEqual([
      '2024-01-15',
      'load_energy',
      complete.load.energy_mwh,
      'MWh',
      null,
      1,
    ]);
    expect(row('load_peak')).toEqual([
      '2024-01-15',
      'load_peak',
      80302,
      'MW',
      '2024-01-15T19:15:00+01:00',
      null,
    ]);
    const ccg = complete.generation.by_sub_source.gaz_ccg.energy_mwh;
    expect(row('generation_gaz_ccg_energy')).toEqual([
      '2024-01-15',
      'generation_gaz_ccg_energy',
      ccg,
      'MWh',
      null,
      1,
    ]);
    expect(table.rows).toHaveLength(model.indicators.length);
    const names = table.rows.map((cells) => cells[1]);
    expect(new Set(names).size).toBe(names.length);
    expect((await reportOf({ metrics: empty })).table.rows.map((cells) => cells[1])).toEqual(names);
  });

  it('gives a day the same bytes alone and among others', async () => {
    const days = [complete, sparse, empty].map((metrics) => unitOf({ metrics }));
    const together = await runNational(days);
    for (const [index, unit] of days.entries()) {
      expect(await runNational([unit])).toEqual([together[index]]);
    }
  });

  it('does not let the place of an artefact into the report', async () => {
    const unit = unitOf({ metrics: complete });
    const core = unit.inputs['core']![0]!;
    const moved = { ...core, path: '/elsewhere', ref: { ...core.ref, key: 'other/key' } };
    const elsewhere = { ...unit, inputs: { ...unit.inputs, core: [moved] } };
    expect(await runNational([elsewhere])).toEqual(await runNational([unit]));
  });

  it('fails a day with metrics of another schema or date, and no other day', async () => {
    const wrong = unitOf({ metrics: sparse });
    const outcomes = await runNational([
      {
        ...wrong,
        inputs: {
          ...wrong.inputs,
          metrics: [jsonArtefact(sparse.date, { ...sparse, schema: 'eco2mix.metrics/9' })],
        },
      },
      { ...wrong, inputs: { ...wrong.inputs, metrics: [jsonArtefact(sparse.date, complete)] } },
      { ...wrong, inputs: { ...wrong.inputs, metrics: [] } },
      unitOf({ metrics: complete }),
    ]);
    expect(outcomes.map((outcome) => ('failure' in outcome ? outcome.failure.code : 'ok'))).toEqual(
      ['INPUT_INVALID', 'INPUT_INVALID', 'INTERNAL', 'ok'],
    );
    expect(outcomes[0]).toMatchObject({
      failure: { message: expect.stringContaining('re-run metrics/national') as string },
    });
  });

  it('ends at once when it is cancelled', async () => {
    const task = {
      ...taskOf([unitOf({ metrics: complete })]),
      signal: AbortSignal.abort(new Error('cancelled')),
    };
    if (reportNational.kind !== 'plain') throw new Error('the report needs the SQL engine');
    await expect(reportNational.run(task, TOOLS)).rejects.toThrow('cancelled');
  });

  it('ends the model with one line feed', async () => {
    const { result } = await reportOf({ metrics: complete });
    expect(textOf(result, 'model')).toMatch(/\}\n$/);
  });
});
