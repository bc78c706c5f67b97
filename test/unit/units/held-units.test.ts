import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { decideUnit } from '../../../src/engine/records/unit-decisions.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { show } from '../../../src/cli/look/show.ts';
import { judgeUnits, unitsHeldIn } from '../../../src/pipelines/held-units.ts';
import { shardName, shardOf } from '../../../src/pipelines/shard.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { shardedDataset } from '../../fixtures/sharded-dataset.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const SHARDS = 4;
const DAY = '2024-01-15';
/** 11:00 and 15:00 in Paris on that day, and their units. */
const [HOUR, UNIT] = [11, '10'];
const [OTHER_HOUR, OTHER_UNIT] = [15, '14'];
const ofUnit = (unit: string): string => shardName('transform/readings', shardOf(unit, SHARDS));

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([DAY]);
  publisher.publish(DAY, { hours: { [HOUR]: 70_000, [OTHER_HOUR]: 80_000 } });
  const baseUrl = publisher.url;
  engine = await openTestEngine([
    shardedDataset({ shards: SHARDS, baseUrl, holdUnitsAbove: 9_000, freshForMinutes: 0 }),
  ]);
  return async () => {
    await engine.close();
    await publisher.close();
  };
});

async function newest() {
  const manifest = (await newestManifests(engine.documents, 'sharded', [DAY])).get(DAY);
  if (manifest === undefined) throw new Error('the day has no version');
  return manifest;
}

function decide(unit: string, decision: 'accept' | 'reject', decidedAt: string) {
  const said = { unit, decision, reason: 'a dry run of a plant', by: 'ada', decidedAt };
  return decideUnit(engine, testControl(), { pipeline: 'sharded', scope: DAY, ...said });
}

function ran({ state }: Awaited<ReturnType<typeof runDay>>): string[] {
  return Object.entries(state).flatMap(([id, one]) =>
    one.state === 'done' && one.how === 'ran' ? [id] : [],
  );
}

describe('a check that names units', () => {
  it('holds them alone: the rest of the day is committed, degraded, and lists them with their evidence', async () => {
    const { outcome, held } = await runDay(engine, 'sharded', DAY);
    expect([outcome.verdict, held]).toEqual(['degraded', []]);
    const manifest = await newest();
    expect(manifest.verdict).toBe('degraded');
    expect(manifest.facts['coverage']).toBeCloseTo(22 / 24, 9);
    const listed = unitsHeldIn(manifest);
    expect(listed.map(({ unit, step, check }) => [unit, step, check])).toEqual(
      expect.arrayContaining([
        [UNIT, ofUnit(UNIT), 'unit_plausible'],
        [OTHER_UNIT, ofUnit(OTHER_UNIT), 'unit_plausible'],
      ]),
    );
    expect(listed.find(({ unit }) => unit === UNIT)?.examples).toEqual([
      { hour_at: `${DAY}T10:00:00Z`, value: '70000' },
    ]);
    const context = testContext(engine);
    await show(context, { pipeline: 'sharded', date: DAY });
    expect(context.terminal.text()).toMatch(/2 units held: (10, 14|14, 10)/);
  });

  it('is answered unit by unit: a decision re-runs the shard of its unit and what gathers it', async () => {
    await runDay(engine, 'sharded', DAY);
    await decide(UNIT, 'accept', '2024-01-17T10:00:00.000Z');
    const accepted = await runDay(engine, 'sharded', DAY, { offline: true });
    expect(accepted.plan.steps.find(({ step }) => step === ofUnit(UNIT))?.reason).toBe(
      'somebody decided on its held units',
    );
    expect(ran(accepted).filter((id) => id.startsWith('transform/'))).toEqual([ofUnit(UNIT)]);
    expect(unitsHeldIn(await newest()).map(({ unit }) => unit)).toEqual([OTHER_UNIT]);
    await decide(OTHER_UNIT, 'reject', '2024-01-17T11:00:00.000Z');
    const settled = await runDay(engine, 'sharded', DAY, { offline: true });
    // Nobody is asked any more, and the rejected unit stays out.
    expect(settled.outcome.verdict).toBe('ok');
    const { facts, decisions } = await newest();
    expect(facts['coverage']).toBeCloseTo(23 / 24, 9);
    expect(decisions.map(({ unit, decision, by }) => [unit, decision, by])).toEqual([
      [UNIT, 'accept', 'ada'],
      [OTHER_UNIT, 'reject', 'ada'],
    ]);
    const again = await runDay(engine, 'sharded', DAY, { offline: true });
    expect(again.plan.upToDate).toBe(true);
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'sharded', dates: [DAY] });
    expect(days.map(({ result }) => result)).toEqual(['identical']);
  });

  it('asks again when the rows of the unit change, and not when others do', async () => {
    await runDay(engine, 'sharded', DAY);
    await decide(UNIT, 'accept', '2024-01-17T10:00:00.000Z');
    await decide(OTHER_UNIT, 'accept', '2024-01-17T10:00:01.000Z');
    publisher.publish(DAY, { hours: { [HOUR]: 70_000, [OTHER_HOUR]: 90_000 } });
    await runDay(engine, 'sharded', DAY, { recheck: true });
    expect(unitsHeldIn(await newest()).map(({ unit }) => unit)).toEqual([OTHER_UNIT]);
  });

  it('refuses a decision on a unit that is not held, and names those that are', async () => {
    await runDay(engine, 'sharded', DAY);
    await expect(decide('23', 'accept', '2024-01-17T10:00:00.000Z')).rejects.toThrow(
      /^23 is not held: sharded 2024-01-15 holds (10, 14|14, 10)$/,
    );
  });
});

describe('judgeUnits', () => {
  it('gives the same result in whatever order the rows come, and takes in exactly what was accepted', () => {
    const row = fc.record({
      unit: fc.constantFrom('a', 'b', 'c'),
      row: fc.record({ value: fc.integer() }),
    });
    const check = { id: 'plausible', severity: 'hold' } as const;
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1 }),
        fc.infiniteStream(fc.nat()),
        (failing, random) => {
          const shuffled = [...failing].sort(() => (Number(random.next().value) % 3) - 1);
          const { result, leftOut } = judgeUnits(check, { tested: 100, failing });
          expect(judgeUnits(check, { tested: 100, failing: shuffled })).toEqual({
            result,
            leftOut,
          });
          const decided = (result.units ?? []).map(({ unit, evidence }) => ({
            check: check.id,
            unit,
            evidence,
            decision: unit === 'a' ? ('reject' as const) : ('accept' as const),
          }));
          const after = judgeUnits(check, { tested: 100, failing, decided });
          expect(after.leftOut).toEqual(leftOut.filter((unit) => unit === 'a'));
          expect((after.result.units ?? []).every(({ rejected }) => rejected === true)).toBe(true);
        },
      ),
    );
  });
});
