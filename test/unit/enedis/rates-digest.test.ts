import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../../src/canonical-json.ts';
import { enedisDefinition } from '../../../src/datasets/enedis/definition.ts';
import { RATES_DIGEST } from '../../../src/datasets/enedis/rates/digest.ts';
import * as taxes from '../../../src/datasets/enedis/rates/taxes.ts';
import * as turpe from '../../../src/datasets/enedis/rates/turpe.ts';

it('steps that calculate with rates are keyed by them', () => {
  const lists = { ...taxes, ...turpe };
  const digest = createHash('sha256').update(canonicalJson(lists)).digest('hex').slice(0, 16);
  // Write the new digest where rates are added: it has the months made again.
  expect(RATES_DIGEST).toBe(digest);
  const { steps, rollups } = enedisDefinition;
  const keyed = [...steps, ...rollups].filter(({ params }) => params?.['rates'] === digest);
  expect(keyed.map(({ id }) => id).sort()).toEqual(['report/daily', 'rollup/history']);
});
