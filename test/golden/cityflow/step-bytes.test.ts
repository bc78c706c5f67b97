import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import { madeCity } from '../../unit/cityflow/made-city.ts';
import {
  RAIL_HEADER,
  railRows,
  SERVICE_HEADER,
  serviceRow,
  SURFACE_HEADER,
  surfaceRows,
  table,
} from '../../unit/cityflow/transport-data.ts';

/**
 * `step version → sha256 of its outputs` for one small made-up city. When a hash changes, the
 * outputs of every day change: raise the step's version in the definition, and pin the new pair. A
 * hash must never change under the same version.
 */
const PINNED: Readonly<Record<string, string>> = {
  'download/arrondissements v1': 'd95ccdef8bca9ca7120f3c56da98c40fefe87bbbdd4c2bf3a21844338bf19626',
  'download/bikes v1': 'ecd0ebcb44754f4119aa605187fd11b39f840d44840054347bb3b22e56a219cd',
  'download/chantiers v1': '4e187e31aa9e3e0796d3bd764d13548e1d9636e25ab2b76190fb16d1d9dcfc2c',
  'download/comptages v2': '677d034823eb8da583ca9c7af9b42a3c45ea242909110d045ad5d57266b20c65',
  'download/open-meteo v1': '39e9e8701e257763d23047239033b6427faabf371cf17435b4fcf9c50ab85843',
  'download/referentiel v1': '80519d70197ea8a06d1ce1795ca902c8b8a206f1bae8f945337df3e10e09c8a5',
  'download/service-quality v1': 'e93e61663b746471da032f5655b07dc8f5fec224f1ed7c79c1f65acab3afda7c',
  'download/traffic v1': 'ee8cc0ddc55cb907b42b50eaa6f2e35585884c70c861ced26f6963926b8468a5',
  'download/validations v1': '0033a2f505f1ac96fa9e41a650e237307b211a9235b3f6c79a5d132edefa5510',
  'download/validations-rail v1':
    '529df4f66a4b452ecc718ddc8f501a5c69eba789d32b1fc1460a9de8f66c18cb',
  'download/weather v1': 'b3907d5449f33770f456e9f83b434d8d196a5ece7817eb46822cdf6421f38e17',
  'metrics/bike-study v2': 'a1f2d027ea946e65085c9c471a4a01324a688746b8110eb07c21b880ae498543',
  'metrics/bikes v2': '2c0af38aeb602f7c055f331b8e594eab40db2af9c4c17ebb47ff64eeea3be4f6',
  'metrics/chantiers v1': '5fadef8e28a96b5ff53ff6855f830daa3e9c2930216cf56827f12009b5c2823c',
  'metrics/comptages v3': '3489429d463789b0b1addda369b3de4aca5e4238ac80b11f389301ea7ce8ccca',
  'metrics/digest v1': '6c04b63cd7413129389973fd1b283bb23f4f73f1e16311450ac2b27779eb4b25',
  'metrics/figures v1': '7abfcccffee8f3508db61f42e57bd0f4cec72cc67e6ffc54c3316aa23fb5909b',
  'metrics/history v2': '9b15f59c73266bcbe14ba29e96141f9c07c74d992c92c8cd4dc67b619a4c08a5',
  'metrics/links v2': '2e0390519b3ee056e8f3622c77e1caebacc85f456135484c04b89bbbcba41942',
  'metrics/quality v1': 'f33835f34355d06cdc8ac6a657e1683be859c49ebc0b2dfa1922040c03c0b4ff',
  'metrics/referentiel v1': '8fbecfa19c949e60c9463926ce18ada12ec385531a82c953dbcb213f75c09dfa',
  'metrics/sensors v1': '8ec794acc8631a731b3a944cd25a1ef5ac810d093b2f161fb5246057acd7fb10',
  'metrics/service-quality v1': 'cb2225277be4308756d359fa0d989133a265c1953eb965203974cfac65991343',
  'metrics/traffic v2': 'ce097caab8dcb6fc28f8dc83387c85d872f3d1e71325913d0feef1bbdefe9b6f',
  'metrics/usual v1': '889d64f286635652207f095aea622ab9265332a47eeceea5b8b53070f12a436a',
  'metrics/validations v1': '3433bf9421625317350ac3ad365faa0337ccb3abbbb7b86fb019f0ef77e25f43',
  'metrics/weather v1': '7f693f9788003e2f0543d7dddbc6592a65af37f7dd59bbf7489545d6429f9862',
  'report/daily v7': 'adfb60139104ec78c97cf6f83127a35ae37154e865dc9a20eb3698d02922581d',
  'report/page v10': 'd193953c06cc222be52d18ddb7645a19745dcb011fd34b8c73a1145cd20d5fc1',
  'transform/bikes v1': '69c752d44030fe24f92f30507ef6e03f3c80e116e28d37504bbb117c4c89da0e',
  'transform/chantiers v1': '983b9e55419b59c77c92cbd67c0879bc281c22810faf8f569f256aab3dc1b391',
  'transform/comptages v2': '2bc63462aca816afcc98f5b709966eb66d411c03b12564cf05068ed5bc77b504',
  'transform/referentiel v1': 'd94a8da06b8b380837d7c6e9e604c1d6eafe9439394f83d382d59772c26a6b4d',
  'transform/service-quality v1':
    'b1954c388c32fa0c6333f6d2bdd0626c1b9dfe0169a7e06dceda7c42edd1b371',
  'transform/traffic v1': '2665196c599b3c4dd0a5ef078aace68c76f96119da6a142c62f265172418b610',
  'transform/validations v1': 'd919f5224be451d40960b243fdd346944f953ba4fafceb5e6624089dc8bea318',
  'transform/weather v1': '4e1fb51b90dd515f75a1117e7598e2c326f9b4f226e8e01924c2da3a9c97b421',
};

const DAYS = datesBetween('2025-11-10', '2025-11-12');
const METEO = JSON.stringify({
  daily: { time: DAYS, temperature_2m_mean: [9, 10, 11], precipitation_sum: [0, 2.5, 6] },
  hourly: { time: DAYS.map((date) => `${date}T12:00`), temperature_2m: [10, 11, 12] },
});

let runner: StepRunner;
const hashes: Record<string, string> = {};

beforeAll(async () => {
  runner = await openStepRunner(cityflow);
  const sources = Object.values(await madeCity(runner, DAYS));
  const meteo = { part: 'open-meteo', path: await runner.file('meteo.json', METEO) };
  const transport = {
    validations: table(
      SURFACE_HEADER,
      DAYS.flatMap((day, index) => surfaceRows(day, { 'Forfait Navigo': 1_000 + index })),
    ),
    'validations-rail': table(
      RAIL_HEADER,
      DAYS.flatMap((day, index) => railRows(day, { Amethyste: 70 + index })),
    ),
    'service-quality': table(SERVICE_HEADER, [
      serviceRow({ quarter: 'T4', year: 2025, result: '97.5' }),
    ]),
  };
  const imported = await Promise.all(
    Object.entries(transport).map(async ([part, text]) => ({
      part,
      path: await runner.file(`${part}.csv`, text),
    })),
  );
  const days = await runner.days([...sources, meteo, ...imported], DAYS);
  for (const { id, version } of cityflow.definition.steps) {
    const outputs = [...days.values()].flatMap((done) =>
      Object.entries(done[id]?.outputs ?? {}).map(
        ([name, { scope, ref }]) => `${scope} ${name} ${ref.sha256}`,
      ),
    );
    expect(outputs.length, id).toBeGreaterThan(0);
    hashes[`${id} v${version}`] = createHash('sha256')
      .update(outputs.sort().join('\n'))
      .digest('hex');
  }
});
afterAll(() => runner.close());

describe('the bytes of each step', () => {
  it('change only together with the step’s version', () => {
    expect(hashes).toEqual(PINNED);
  });
});
