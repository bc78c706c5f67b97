import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mixDefinition } from '../../../src/datasets/eco2mix/definition.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Done } from '../../fixtures/step-runner.ts';
import type { Runner } from '../../unit/eco2mix/day-runner.ts';
import { dayUnit } from '../../fixtures/step-runner.ts';
import { openRunner } from '../../unit/eco2mix/day-runner.ts';
import { portalHeader, portalLine, quartersOf } from '../../unit/eco2mix/portal-csv.ts';

/**
 * `step version → sha256 of its outputs` for one small made-up fixture. When a hash changes, the
 * outputs of every day change: raise the step's version in the definition, and pin the new pair. A
 * hash must never change under the same version.
 */
const PINNED: Readonly<Record<string, string>> = {
  'download/cons-def v1': '1c0d9180d08adcc64aa8438166242e8065200bbdc33492efdb3fb887bda2b725',
  'download/rte v1': '3f1e3c901f546123ad465a7db9e5fd9941a794ac2833d745ca2d9d105526697b',
  'download/rte-annual v1': '722bcaef2612d37eb4ac142ee7842af11f0ac4357c81df44b8b8f2e48fea980e',
  'download/tr v1': 'dc563f51f934bbb2b4ddd30a3acd24c77d484a4abd46ace1a3af7dc8309854f6',
  'metrics/comparison v1': 'b14b6476185bcf18a7a3b6ecacd6a58354537e08b549a5443368e807293bb25d',
  'metrics/national v1': 'fca358e5ee5676cb7bab279da85d06ecff9198f39ede4280de8f9474a19b2432',
  'rollup/history v6': '1e4a2d0908010c2bde17c6eeba9f0ce3404f00b589b0cdc461af92f58e6852d0',
  'rollup/month v2': '0189c5da4d024e3f932eb196b744c87b62c322339162d222e14cec6f98d218fe',
  'rollup/year v2': '381c4d67ad4c6eeb45edbb0a8bb8a2baace38f79b9451a1546fc234fc93d1d71',
  'transform/national v1': '6ac9565483b193361e5dc96aec75008e68e73a3d35aa6b3893b8ad0c874a8a69',
};

const DAYS = datesBetween('2024-03-30', '2024-04-01');
const MEASURES = [
  ...[
    'consommation',
    'prevision_j1',
    'prevision_j',
    'fioul',
    'charbon',
    'gaz',
    'nucleaire',
    'eolien',
    'solaire',
  ],
  ...[
    'hydraulique',
    'pompage',
    'bioenergies',
    'ech_physiques',
    'taux_co2',
    'ech_comm_angleterre',
    'ech_comm_espagne',
  ],
  ...[
    'ech_comm_italie',
    'ech_comm_suisse',
    'ech_comm_allemagne_belgique',
    'gaz_ccg',
    'eolien_offshore',
  ],
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
  const { version } = [...eco2mixDefinition.steps, ...eco2mixDefinition.rollups].find(
    (step) => step.id === id,
  )!;
  const outputs = done.flatMap(({ scope, outputs: named }) =>
    Object.entries(named).map(([name, { ref }]) => `${scope} ${name} ${ref.sha256}`),
  );
  expect(outputs.length, id).toBeGreaterThan(0);
  hashes[`${id} v${version}`] = createHash('sha256')
    .update(outputs.sort().join('\n'))
    .digest('hex');
}

const only = (done: readonly Done[], output: string) => done.map(({ outputs }) => outputs[output]!);

beforeAll(async () => {
  runner = await openRunner();
  const tr = await runner.slice(
    { part: 'tr', path: await runner.file('tr', fixture('Données temps réel', 15)) },
    DAYS,
  );
  const consolidated = await runner.slice(
    { part: 'cons-def', path: await runner.file('cons', fixture('Données consolidées', 30)) },
    DAYS,
  );
  const cores = await runner.step(
    'transform/national',
    DAYS.map((day, index) =>
      dayUnit(day, {
        tr: [tr[index]!.outputs['slice']!],
        'cons-def': [consolidated[index]!.outputs['slice']!],
      }),
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
  const months = { energies: only(month, 'energies'), core: only(month, 'core') };
  const year = await runner.step('rollup/year', [{ scope: '2024', inputs: months }]);
  const history = await runner.step('rollup/history', [
    {
      scope: 'all',
      inputs: {
        core: only(month, 'core'),
        days: only(month, 'days'),
        month_energies: only(month, 'energies'),
        year_energies: only(year, 'energies'),
        raw_tr: only(month, 'raw_tr'),
        raw_cons_def: only(month, 'raw_cons_def'),
      },
    },
  ]);
  const local = [
    'Périmètre\tNature\tDate\tHeures\tConsommation',
    'France\tDonnées temps réel\t2024-03-30\t00:00\t50000\t',
  ];
  const table = await runner.file('rte', Buffer.from([...local, ''].join('\n'), 'latin1'));
  const yearly = await runner.file(
    'annual',
    'Date;Heures;Consommation\n30/03/2024;00:00;50000\n30/03/2024;00:15;\n',
  );
  remember('download/rte', await runner.slice({ part: 'rte', path: table }, DAYS.slice(0, 1)));
  remember(
    'download/rte-annual',
    await runner.slice({ part: 'rte-annual', path: yearly }, DAYS.slice(0, 1)),
  );
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
