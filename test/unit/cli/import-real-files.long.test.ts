import { afterEach, beforeEach, expect, it } from 'vitest';
import { importRaw } from '../../../src/cli/make/import.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([eco2mix, cityflow]);
});
afterEach(() => engine.close());

const REAL = [
  ['eco2mix', 'eco2mix/eco2mix-national-tr.csv'],
  ['eco2mix', 'eco2mix/eCO2mix_RTE_En-cours-TR_2016.xls'],
  ['eco2mix', 'eco2mix/rte_2018.csv'],
  ['cityflow', 'paris/champs_elysees_2023.csv'],
  ['cityflow', 'paris/comptages_convention_bcg2022.csv'],
] as const;
const FILES = REAL.map(([, name]) => name);

describeOnRealFiles('the first import', FILES, () => {
  it.each(REAL)(
    'of %s %s finds every usual column, and none that is not known',
    async (pipeline, name) => {
      const context = testContext(engine);
      expect(await importRaw(context, { pipeline, files: [realData(name)] })).toBe(0);
      expect(context.terminal.text()).not.toMatch(/not known|missing,/);
    },
  );
});
