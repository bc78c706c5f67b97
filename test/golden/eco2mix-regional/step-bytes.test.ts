import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mixRegional } from '../../../src/datasets/eco2mix-regional/index.ts';
import { REGIONS } from '../../../src/datasets/eco2mix-regional/regions.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';
import { dayUnit, openStepRunner } from '../../fixtures/step-runner.ts';
import { MEASURES, quartersOf, regionalCsv } from '../../unit/eco2mix-regional/regional-csv.ts';

/**
 * `step version → sha256 of its outputs` for one small made-up fixture. When a hash changes, the
 * outputs of every day change: raise the step's version in the definition, and pin the new pair. A
 * hash must never change under the same version.
 */
const PINNED: Readonly<Record<string, string>> = {
  'download/cons-def v1': '6c0b7872c00ee9bf6994c21c22b4a12c494a826a04fa20373a703bea2ca4a6bb',
  'download/tr v1': 'd224f2e19b3dd40b101e9acbe41bff126d4ef2d73188acc0837528608e668d90',
  'metrics/comparison v1': '87edbf2ba1205103e8088ae2f7e8773be3db5d0ba72d3eea8fee28a6153e0d25',
  'metrics/regions v1': 'ce0dfa167cc937b955373a6d6e203668f20f18da84afb93316dd8c0a3b0447fd',
  'report/page v2': 'f6cfdd63d788137c47f2e9fa06c1ecfebe7978b5578aa123d7a53417a8349f80',
  'report/regions v1': '68f2b8f0e2b7d9fa1cdd697939d464e3918944fe6d8314ac43c83de455a431ae',
  'rollup/history v1': '6198fe30c26dd37be9061624c15af5e39d9c2ebfa023986172b96fe2d453b7de',
  'rollup/month v1': 'e368be855d3329d9164201e584978246d1fef26c82ee9ea33489f3f75f93d349',
  'rollup/year v1': '85f7c029cd2686fe589db4a247ca89a1f3e82bcc86344626f3311d5b3a3ccf05',
  'transform/regions v1': 'd9a59d62e96e0d6179b760bea34f86444f97f1c13d35a95f41fd25bfe06b3aef',
};

const DAYS = datesBetween('2024-03-30', '2024-04-01');

/** A value that looks like a measurement and follows from its place only. */
function made(quarter: number, measure: number, region: string): number {
  const value = (quarter * 7_919 + measure * 104_729 + Number(region) * 311) % 997;
  return measure === 0 ? value + 4_000 : measure === 6 ? -value : value;
}

function fixture(date: string, nature: string, step: 1 | 2): string {
  const rows = REGIONS.flatMap(({ code }) =>
    Array.from({ length: quartersOf(date) / step }, (_, index) => {
      const quarter = index * step;
      const values = MEASURES.map((name, measure) => [name, made(quarter, measure, code)] as const);
      return { region: code, quarter, values: Object.fromEntries(values) };
    }),
  );
  return regionalCsv(date, nature, rows);
}

let runner: StepRunner;
const hashes: Record<string, string> = {};
const { steps, rollups } = eco2mixRegional.definition;

function remember(id: string, done: readonly Done[]): readonly Done[] {
  const { version } = [...steps, ...rollups].find((step) => step.id === id)!;
  const outputs = done.flatMap(({ scope, outputs: named }) =>
    Object.entries(named).map(([name, { ref }]) => `${scope} ${name} ${ref.sha256}`),
  );
  expect(outputs.length, id).toBeGreaterThan(0);
  hashes[`${id} v${version}`] = createHash('sha256')
    .update(outputs.sort().join('\n'))
    .digest('hex');
  return done;
}

const only = (done: readonly Done[], output: string) => done.map(({ outputs }) => outputs[output]!);

async function sliced(
  part: 'tr' | 'cons-def',
  nature: string,
  step: 1 | 2,
): Promise<readonly Done[]> {
  const done: Done[] = [];
  for (const date of DAYS) {
    const path = await runner.file(`${part}.csv`, fixture(date, nature, step));
    done.push(...(await runner.slice({ part, path }, [date])));
  }
  return remember(`download/${part}`, done);
}

beforeAll(async () => {
  runner = await openStepRunner(eco2mixRegional);
  const tr = only(await sliced('tr', 'Données temps réel', 1), 'slice');
  const consolidated = only(await sliced('cons-def', 'Données consolidées', 2), 'slice');
  const step = async (
    id: string,
    inputs: (index: number) => Record<string, Done['outputs'][string][]>,
  ) =>
    remember(
      id,
      await runner.step(
        id,
        DAYS.map((day, index) => dayUnit(day, inputs(index))),
      ),
    );
  const core = only(
    await step('transform/regions', (index) => ({
      tr: [tr[index]!],
      'cons-def': [consolidated[index]!],
    })),
    'core',
  );
  const metrics = only(
    await step('metrics/regions', (index) => ({ core: [core[index]!] })),
    'metrics',
  );
  const comparison = only(
    await step('metrics/comparison', (index) => ({ regions: [metrics[index]!] })),
    'comparison',
  );
  const model = only(
    await step('report/regions', (index) => ({
      metrics: [metrics[index]!],
      comparison: [comparison[index]!],
    })),
    'model',
  );
  await step('report/page', (index) => ({ model: [model[index]!] }));
  const month = remember(
    'rollup/month',
    await runner.step('rollup/month', [
      { scope: '2024-03', inputs: { core: core.slice(0, 2), metrics: metrics.slice(0, 2) } },
    ]),
  );
  const energies = only(month, 'energies');
  const year = remember(
    'rollup/year',
    await runner.step('rollup/year', [{ scope: '2024', inputs: { energies } }]),
  );
  const inputs = { months: energies, years: only(year, 'energies') };
  remember('rollup/history', await runner.step('rollup/history', [{ scope: 'all', inputs }]));
}, 120_000);
afterAll(() => runner.close());

describe('the bytes of each step', () => {
  it('change only together with the step’s version', () => {
    expect(hashes).toEqual(PINNED);
  });

  it('of a day are the same whatever days it is made with', async () => {
    const units = [];
    for (const date of DAYS) {
      const path = await runner.file('tr.csv', fixture(date, 'Données temps réel', 1));
      const [slice] = await runner.slice({ part: 'tr', path }, [date]);
      units.push(dayUnit(date, { tr: [slice!.outputs['slice']!] }));
    }
    const hashesOf = (done: readonly Done[]) => only(done, 'core').map(({ ref }) => ref.sha256);
    const together = hashesOf(await runner.step('transform/regions', units));
    for (const [index, unit] of units.entries())
      expect(hashesOf(await runner.step('transform/regions', [unit]))).toEqual([together[index]]);
  });
});
