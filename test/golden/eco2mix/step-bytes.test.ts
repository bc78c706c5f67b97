import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mixDefinition } from '../../../src/datasets/eco2mix/definition.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Done, Runner } from '../../unit/eco2mix/day-runner.ts';
import { dayUnit, openRunner } from '../../unit/eco2mix/day-runner.ts';
import { portalHeader, portalLine, quartersOf } from '../../unit/eco2mix/portal-csv.ts';

/**
 * `step version → sha256 of its outputs` for one small made-up fixture. When a hash changes, the outputs of every day change: raise the
 * step's version in the definition, and pin the new pair. A hash must never change under the same version.
 */
const PINNED: Readonly<Record<string, string>> = {
  'download/cons-def v1': 'c2a2ab3dae2b4b7fb4df7e1fae091aa2fe5adf436a0064d3a5adeb8a00046678',
  'download/tr v1': '9edcb1a4223ad602da58b9d20d230e86073f5a796428b0293194f91fd07e900b',
  'metrics/comparison v1': 'b14b6476185bcf18a7a3b6ecacd6a58354537e08b549a5443368e807293bb25d',
  'metrics/national v1': 'fca358e5ee5676cb7bab279da85d06ecff9198f39ede4280de8f9474a19b2432',
  'rollup/history v1': '30bbae17d3289eec173721d09736b4e8cea20f15f9251a9228692a51911218c0',
  'rollup/month v1': '8e3b39e5f535a3fb1654837c7de0a7f8b1fa571edb744810d68cb21957d3f946',
  'rollup/year v1': '3737e8c53328902ef8fbea548ce4aea71e4e2a653d5e82d17100455a3bbfe63d',
  'transform/national v1': '7352035c312387a3455544395dc21ba0821edfc07126e6ad6a0a15fec3ae96ed',
};

const DAYS = datesBetween('2024-03-30', '2024-04-01');
const MEASURES = [
  ...['consommation', 'prevision_j1', 'prevision_j', 'fioul', 'charbon', 'gaz', 'nucleaire', 'eolien', 'solaire'],
  ...['hydraulique', 'pompage', 'bioenergies', 'ech_physiques', 'taux_co2', 'ech_comm_angleterre', 'ech_comm_espagne'],
  ...['ech_comm_italie', 'ech_comm_suisse', 'ech_comm_allemagne_belgique', 'gaz_ccg', 'eolien_offshore'],
];

/** A value that looks like a measurement and follows from its place only. */
function made(quarter: number, measure: number): number {
  return ((quarter * 7_919 + measure * 104_729) % 9_973) + (measure === 0 ? 45_000 : 0);
}

function fixture(nature: string, step: 15 | 30): string {
  const lines = DAYS.flatMap((day) =>
    Array.from({ length: quartersOf(day) }, (_, quarter) => {
      const isFull = step === 15 || quarter % 2 === 0;
      const cells = MEASURES.map((name, measure) => {
        const isForecast = name.startsWith('prevision');
        const value = name === 'pompage' ? -made(quarter, measure) : made(quarter, measure);
        return [name, isFull || isForecast ? value : null] as const;
      });
      return portalLine(day, { quarter, nature, values: Object.fromEntries(cells) }, MEASURES);
    }),
  );
  return [portalHeader(MEASURES), ...lines, ''].join('\n');
}

let runner: Runner;
const hashes: Record<string, string> = {};

function remember(id: string, done: readonly Done[]): void {
  const { version } = [...eco2mixDefinition.steps, ...eco2mixDefinition.rollups].find((step) => step.id === id)!;
  const outputs = done.flatMap(({ scope, outputs: named }) =>
    Object.entries(named).map(([name, { ref }]) => `${scope} ${name} ${ref.sha256}`),
  );
  expect(outputs.length, id).toBeGreaterThan(0);
  hashes[`${id} v${version}`] = createHash('sha256').update(outputs.sort().join('\n')).digest('hex');
}

const only = (done: readonly Done[], output: string) => done.map(({ outputs }) => outputs[output]!);

beforeAll(async () => {
  runner = await openRunner();
  const tr = await runner.slice({ part: 'tr', path: await runner.file('tr', fixture('Données temps réel', 15)) }, DAYS);
  const consolidated = await runner.slice(
    { part: 'cons-def', path: await runner.file('cons', fixture('Données consolidées', 30)) },
    DAYS,
  );
  const cores = await runner.step(
    'transform/national',
    DAYS.map((day, index) =>
      dayUnit(day, { tr: [tr[index]!.outputs['slice']!], 'cons-def': [consolidated[index]!.outputs['slice']!] }),
    ),
  );
  const metrics = await runner.step(
    'metrics/national',
    cores.map((core) => dayUnit(core.scope, { core: [core.outputs['core']!] })),
  );
  const [before, day] = only(metrics, 'metrics');
  const comparison = await runner.step('metrics/comparison', [
    dayUnit(DAYS[1]!, { day: [day!], previous_day: [before!] }),
  ]);
  const month = await runner.step('rollup/month', [
    {
      scope: '2024-03',
      inputs: {
        core: only(cores, 'core').slice(0, 2),
        metrics: only(metrics, 'metrics').slice(0, 2),
        raw_tr: only(tr, 'slice').slice(0, 2),
        raw_cons_def: only(consolidated, 'slice').slice(0, 2),
      },
    },
  ]);
  const year = await runner.step('rollup/year', [{ scope: '2024', inputs: { energies: only(month, 'energies') } }]);
  const history = await runner.step('rollup/history', [
    {
      scope: 'all',
      inputs: {
        core: only(month, 'core'),
        month_energies: only(month, 'energies'),
        year_energies: only(year, 'energies'),
        raw_tr: only(month, 'raw_tr'),
        raw_cons_def: only(month, 'raw_cons_def'),
      },
    },
  ]);
  remember('download/tr', tr);
  remember('download/cons-def', consolidated);
  remember('transform/national', cores);
  remember('metrics/national', metrics);
  remember('metrics/comparison', comparison);
  remember('rollup/month', month);
  remember('rollup/year', year);
  remember('rollup/history', history);
});
afterAll(() => runner.close());

describe('the bytes of each step', () => {
  it('change only together with the step’s version', () => {
    expect(hashes).toEqual(PINNED);
  });
});
