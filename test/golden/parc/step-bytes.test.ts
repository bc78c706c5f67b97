import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parc } from '../../../src/datasets/parc/index.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

/**
 * `step version → sha256 of its outputs` for one small made-up fixture. When a hash changes, the
 * outputs of every day change: raise the step's version in the definition, and pin the new pair. A
 * hash must never change under the same version.
 */
const PINNED: Readonly<Record<string, string>> = {
  'download/odre-parc v1': '1f3c3ad80f06f21bf79e1b7e94d665fa3e5a4ec3e7d810556a7e5f53817f72f3',
  'download/rte-eolien v1': 'e90d1353bb05b86ad63a7ec55bd034b8380fb5167900bc6082ce8ebec4ac466e',
  'download/rte-solaire v1': '6cc728b972d0c65bf2865b6b7347c77689798085e75a8b95beaae616ca49f8ff',
  'report/page v3': 'eb8cb1c2234788ce3c3bbac473e9670dcb0fcf1863f144c15c7afca96e71dc12',
  'report/parc v1': '839ef3f465cb08533a00eb319ff1365542a6f3a9d46392af34ded373aa4ff709',
  'rollup/history v1': '828ae5e6e86784aeb95b233fc56056508826364bf9c06c181d80d67e275e9cb6',
  'rollup/month v1': 'f83d4c45ad410a8b4ef0fe4c6d789578b6a93718a5625221fcaf4dbb30c96d58',
  'rollup/year v1': '2217fb2bb2920fe1048587e4e03f85efabdb36219eedf6dfb4492ab5541e9f07',
  'transform/parc v1': '87554d4eed8038780dfc925afb284f135ab6930f8bdaa360f0db3618ab49123d',
};

const DATES = ['2024-11-30', '2024-12-01', '2024-12-31'];

const chart = (values: object): string =>
  `JSON.parse('${JSON.stringify(
    Object.fromEntries(
      Object.entries(values).map(([key, months]: [string, unknown]) => [
        key,
        { name: key, data: { filiere: { monthlyData: { 2024: months } } } },
      ]),
    ),
  )}');`;

const WIND = `<script>${chart({ '01_Eolien terrestre': { 11: 3.9, 12: 5.1 }, '02_Eolien en mer': { 11: 0.4, 12: 0.6 } })}
${chart({
  '01_Eolien terrestre - Facteur de charge moyen': { 11: 24.5, 12: 30.9 },
  '02_Eolien en mer - Facteur de charge moyen': { 11: 38.1, 12: 51.2 },
})}</script>`;
const SUN = `<script>${chart({ '01_Production solaire': { 11: 0.9, 12: 0.7 } })}
${chart({ '01_Facteur de charge solaire': { 11: 5.6, 12: 4.1 } })}</script>`;
const REGISTER = `annee;parc_eolien;parc_nucleaire;parc_solaire
2023;22000;61370;19800
2024;24500;63000;23000
`;

let runner: StepRunner;
const hashes: Record<string, string> = {};

function remember(id: string, done: readonly Done[]): void {
  const { version } = [...parc.definition.steps, ...parc.definition.rollups].find(
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

beforeAll(async () => {
  runner = await openStepRunner(parc);
  const sources = [
    { part: 'rte-eolien', path: await runner.file('eolien.html', WIND) },
    { part: 'rte-solaire', path: await runner.file('solaire.html', SUN) },
    { part: 'odre-parc', path: await runner.file('parc.csv', REGISTER) },
  ];
  const days = await runner.days(sources, DATES);
  for (const { id } of parc.definition.steps)
    remember(
      id,
      DATES.map((date) => days.get(date)![id]!),
    );
  const core = (date: string) => days.get(date)!['transform/parc']!.outputs['core']!;
  const months = await runner.step('rollup/month', [
    { scope: '2024-11', inputs: { core: [core('2024-11-30')] } },
    { scope: '2024-12', inputs: { core: [core('2024-12-01'), core('2024-12-31')] } },
  ]);
  remember('rollup/month', months);
  const capacity = months.map(({ outputs }) => outputs['capacity']!);
  const years = await runner.step('rollup/year', [{ scope: '2024', inputs: { capacity } }]);
  remember('rollup/year', years);
  const inputs = { months: capacity, years: [years[0]!.outputs['capacity']!] };
  remember('rollup/history', await runner.step('rollup/history', [{ scope: 'all', inputs }]));
});
afterAll(() => runner.close());

describe('the bytes of each step', () => {
  it('change only together with the step’s version', () => {
    expect(hashes).toEqual(PINNED);
  });
});
