import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QualityDay } from '../../../src/datasets/smart-meter/quality/verdicts.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/** The rule that holds a group against all its meters: what fails it, and what just does not. */

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

const ruleOf = ({ verdicts }: QualityDay, id: string) => verdicts.find(({ rule }) => rule === id)!;

describe('a group of meters', () => {
  const DAY = '2024-01-15';

  /**
   * Twenty meters of T1, ten of T2, five of T3; each group with the number of its meters that send
   * nothing.
   */
  async function held(
    silent: Readonly<Record<string, number>>,
    gaps: Readonly<Record<string, number>> = {},
  ) {
    const groups = Object.entries({ T1: 20, T2: 10, T3: 5 }).map(([unit, count]) => ({
      unit,
      ids: Array.from({ length: count }, (_, index) => `${unit}${String(index).padStart(4, '0')}`),
    }));
    const sending = groups.flatMap(({ unit, ids }) => ids.slice(silent[unit] ?? 0));
    const lines = bulkFile({
      [DAY]: sending.map((id) => ({ id, whOf: (slot: number) => 100 + slot })),
    }).split('\n');
    const dropped = Object.entries(gaps).flatMap(([id, count]) =>
      lines.filter((line) => line.startsWith(id)).slice(0, count),
    );
    const text = lines.filter((line) => !dropped.includes(line)).join('\n');
    const list = groups.flatMap(({ unit, ids }) =>
      ids.map((id) => `${id},2024-01-01,home,${unit}\n`),
    );
    const done = await runner.days(
      [
        { part: 'readings', path: await runner.file('bulk.csv', text) },
        {
          part: 'meters',
          path: await runner.file(
            'm.csv',
            `meter_id,valid_from,segment,transformer\n${list.join('')}`,
          ),
        },
      ],
      [DAY],
      'metrics/quality',
    );
    const step = done.get(DAY)!['metrics/quality']!;
    const check = step.checks.find(({ check: id }) => id === 'meter-groups')!;
    return {
      check,
      rule: ruleOf(await readOutput<QualityDay>(step, 'quality'), 'group_is_complete'),
    };
  }

  it('is held as a whole where more than a tenth of its readings is missing, the others are not', async () => {
    // Of T1 exactly a tenth is missing; of T2 one meter and one reading; T3 is too small to be
    // judged.
    const { check, rule } = await held({ T1: 2, T2: 1, T3: 3 }, { T20001: 1 });
    expect(rule).toMatchObject({ severity: 'hold', tested: 2, failed: 9, meters: 9 });
    expect(check.units!.map(({ unit }) => unit)).toEqual(['T2']);
  });

  it('is not held where it has nine tenths', async () => {
    const { check, rule } = await held({ T1: 2, T2: 1 });
    expect(rule).toMatchObject({ failed: 0 });
    expect(check.failed).toBe(0);
  });
});
