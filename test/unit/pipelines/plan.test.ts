import { describe, expect, it } from 'vitest';
import { definePipeline } from '../../../src/pipelines/define-pipeline.ts';
import { planDay, planDays } from '../../../src/pipelines/plan.ts';
import type { DayPlan } from '../../../src/pipelines/planned-step.ts';
import {
  DATE,
  deliveryOf,
  entryOf,
  evidenceOf,
  finishedDay,
  planDefinition,
} from '../../fixtures/plan-evidence.ts';

const definition = planDefinition();

function actions(plan: DayPlan): Record<string, string> {
  return Object.fromEntries(plan.steps.map(({ step, action }) => [step, action]));
}

function reason(plan: DayPlan, step: string): string {
  return plan.steps.find((planned) => planned.step === step)?.reason ?? '';
}

const ALL_REUSED = {
  'download/a': 'reuse',
  'download/b': 'skip',
  'transform/table': 'reuse',
  'metrics/day': 'reuse',
  'metrics/comparison': 'reuse',
  'report/day': 'reuse',
};

describe('planDay', () => {
  it('reuses every step of a finished day and calls it up to date (invariants 1 and 4)', () => {
    const plan = planDay(definition, evidenceOf());
    expect(actions(plan)).toEqual(ALL_REUSED);
    expect(plan.upToDate).toBe(true);
  });

  it('runs everything for a day that nobody made', () => {
    const plan = planDay(
      definition,
      evidenceOf({
        manifest: undefined,
        ledger: [],
        deliveries: {},
        previousOutput: () => undefined,
      }),
    );
    expect(actions(plan)).toMatchObject({
      'download/a': 'run',
      'transform/table': 'run',
      'report/day': 'run',
    });
    expect(reason(plan, 'download/a')).toBe('never fetched');
    expect(reason(plan, 'transform/table')).toBe('never ran; waits for download/a');
  });

  it('is not up to date when all steps are in the ledger but no manifest was committed (invariant 4)', () => {
    const plan = planDay(definition, evidenceOf({ manifest: undefined }));
    expect(actions(plan)).toEqual(ALL_REUSED);
    expect(plan.upToDate).toBe(false);
  });

  it('rechecks what is no longer fresh, and foresees that the rest is reused unless it changed (invariant 3)', () => {
    const plan = planDay(definition, evidenceOf({ now: '2024-01-16T02:00:00.000Z' }));
    expect(actions(plan)).toMatchObject({
      'download/a': 'recheck',
      'transform/table': 'recheck',
      'report/day': 'recheck',
    });
    expect(reason(plan, 'download/a')).toContain('no longer fresh since 2024-01-16T02:00:00.000Z');
    expect(reason(plan, 'transform/table')).toBe('reused unless download/a finds a change');
  });

  it('never rechecks a definitive day', () => {
    const { manifest } = finishedDay();
    const plan = planDay(
      definition,
      evidenceOf({
        now: '2034-01-16T02:00:00.000Z',
        manifest: { ...manifest, facts: { revision: 'definitive' } },
      }),
    );
    expect(plan.upToDate).toBe(true);
  });

  it('asks again on request, and not at all offline', () => {
    expect(actions(planDay(definition, evidenceOf(), { recheck: true }))['download/a']).toBe(
      'recheck',
    );
    const offline = planDay(definition, evidenceOf({ now: '2024-02-16T02:00:00.000Z' }), {
      offline: true,
    });
    expect(actions(offline)).toEqual(ALL_REUSED);
  });

  it('asks for what the publisher has only as it is now while its day lasts, and never again after it', () => {
    const parts = definition.parts.map((part) =>
      part.id === 'a' ? { ...part, momentary: true } : part,
    );
    const planned = (now: string) =>
      planDay({ ...definition, parts }, evidenceOf({ now }), { recheck: true });
    expect(actions(planned('2024-01-15T22:59:59.000Z'))['download/a']).toBe('recheck');
    const over = planned('2024-01-15T23:00:00.000Z');
    expect(actions(over)).toEqual(ALL_REUSED);
    expect(reason(over, 'download/a')).toBe(
      'the publisher has a only as it is now, and the day is over',
    );
    const first = evidenceOf({
      now: '2024-01-16T02:00:00.000Z',
      manifest: undefined,
      ledger: [],
      deliveries: {},
    });
    expect(actions(planDay({ ...definition, parts }, first))['download/a']).toBe('run');
  });

  it('runs exactly the steps behind a changed slice, and names the change', () => {
    const { ledger } = finishedDay();
    const changed = entryOf(
      'download/a',
      { slice: ['other'] },
      {
        outputs: { slice: { key: 'layer/other', sha256: 'other', bytes: 1, mediaType: 'x' } },
      },
    );
    const plan = planDay(
      definition,
      evidenceOf({
        ledger: [...ledger, changed],
        deliveries: { a: deliveryOf(changed.key, '2024-01-16T01:05:00.000Z') },
      }),
    );
    expect(actions(plan)).toEqual({
      'download/a': 'reuse',
      'download/b': 'skip',
      'transform/table': 'run',
      'metrics/day': 'run',
      'metrics/comparison': 'run',
      'report/day': 'run',
    });
    expect(reason(plan, 'transform/table')).toBe('input a changed (download → other)');
    expect(reason(plan, 'metrics/day')).toBe('after transform/table');
  });

  it('runs a step whose version was raised, and what reads it (invariant 2)', () => {
    const plan = planDay(planDefinition({ 'metrics/day': 2 }), evidenceOf());
    expect(actions(plan)).toMatchObject({
      'transform/table': 'reuse',
      'metrics/day': 'run',
      'report/day': 'run',
    });
    expect(reason(plan, 'metrics/day')).toBe('step version 1 became 2');
  });

  it('runs a step whose output is damaged in the store (invariant 1)', () => {
    const damaged = new Map([['layer/transform/table', 'is missing in the store']]);
    const plan = planDay(definition, evidenceOf({ damaged }));
    expect(actions(plan)).toMatchObject({
      'download/a': 'reuse',
      'transform/table': 'run',
      'metrics/day': 'run',
    });
    expect(reason(plan, 'transform/table')).toBe('output table is missing in the store');
  });

  it('tells that a reused step has nothing for the day, which others do without', () => {
    const ledger = evidenceOf().ledger.map((entry) =>
      entry.step === 'metrics/comparison' ? { ...entry, outputs: {} } : entry,
    );
    const { steps } = planDay(definition, evidenceOf({ ledger }));
    expect(steps.find(({ step }) => step === 'metrics/comparison')).toMatchObject({
      action: 'reuse',
      empty: true,
    });
    expect(steps.find(({ step }) => step === 'report/day')).toMatchObject({ action: 'run' });
  });

  it('cuts a slice again that came whole, where it comes in shards now', () => {
    const parts = definition.parts.map((part) =>
      part.id === 'a' ? { ...part, shards: { of: 4, by: 'meter' } } : part,
    );
    const plan = planDay(definePipeline({ ...definition, parts }), evidenceOf());
    expect(actions(plan)).toMatchObject({
      'download/a': 'run',
      'transform/table': 'run',
      'report/day': 'run',
    });
    expect(reason(plan, 'download/a')).toBe('its slices came whole, and come in 4 shards now');
  });

  it('runs only the comparison and the report when the day before changed', () => {
    const plan = planDay(definition, evidenceOf({ previousOutput: () => 'changed' }));
    expect(actions(plan)).toMatchObject({
      'metrics/day': 'reuse',
      'metrics/comparison': 'run',
      'report/day': 'run',
    });
    expect(reason(plan, 'metrics/comparison')).toBe('input before changed (yesterda → changed)');
  });

  it('skips a part that is not expected yet, and what can only be made from it', () => {
    const plan = planDay(
      definition,
      evidenceOf({
        manifest: undefined,
        ledger: [],
        deliveries: {},
        now: '2024-01-15T12:00:00.000Z',
      }),
    );
    expect(actions(plan)).toMatchObject({
      'download/a': 'skip',
      'transform/table': 'skip',
      'metrics/day': 'skip',
    });
    expect(reason(plan, 'download/a')).toBe('not expected before 2024-01-15T23:00:00.000Z');
    expect(reason(plan, 'transform/table')).toBe('none of a, b has rows');
  });

  it('skips what lacks an input of its own day, whatever becomes of the day before', () => {
    const nothing = evidenceOf({
      date: '2024-01-16',
      manifest: undefined,
      ledger: [],
      deliveries: {},
    });
    const [changed, empty] = planDays(
      planDefinition({ 'metrics/day': 2 }),
      [nothing, evidenceOf()],
      { offline: true },
    );
    expect(actions(changed!)['metrics/day']).toBe('run');
    expect(actions(empty!)).toMatchObject({ 'metrics/day': 'skip', 'metrics/comparison': 'skip' });
    expect(reason(empty!, 'metrics/comparison')).toBe('metrics/day has no output');
  });

  it('executes a step and everything behind it again on request', () => {
    const plan = planDay(definition, evidenceOf(), { fromStep: 'metrics/comparison' });
    expect(actions(plan)).toMatchObject({
      'metrics/day': 'reuse',
      'metrics/comparison': 'run',
      'report/day': 'run',
    });
    expect(reason(plan, 'report/day')).toBe('asked for from metrics/comparison');
  });

  it('foresees what a changed day does to a later day of the same range', () => {
    const later = evidenceOf({ date: '2024-01-16', previousOutput: () => 'yesterday' });
    const [changed, reader] = planDays(planDefinition({ 'metrics/day': 2 }), [later, evidenceOf()]);
    expect(changed?.date).toBe(DATE);
    expect(actions(reader!)['metrics/comparison']).toBe('run');
    expect(reason(reader!, 'metrics/comparison')).toContain('metrics/day of 2024-01-15');
  });

  it('runs a step whose checks hold the day, until exactly these data were accepted', () => {
    const { ledger, manifest } = finishedDay();
    const held = {
      check: 'plausible',
      severity: 'hold',
      tested: 1,
      failed: 1,
      examples: [],
    } as const;
    const entries = ledger.map((entry) =>
      entry.step === 'metrics/day' ? { ...entry, checks: [held] } : entry,
    );
    const waiting = planDay(definition, evidenceOf({ ledger: entries }));
    expect(actions(waiting)).toMatchObject({ 'metrics/day': 'run', 'report/day': 'run' });
    const key = entries[2]!.key;
    const decision = {
      step: 'metrics/day',
      key,
      decision: 'accept',
      reason: 'x',
      decidedAt: 'y',
    } as const;
    const accepted = planDay(
      definition,
      evidenceOf({ ledger: entries, manifest: { ...manifest, decisions: [decision] } }),
    );
    expect(accepted.upToDate).toBe(true);
  });

  it('is a pure function of its evidence', () => {
    expect(planDay(definition, evidenceOf())).toEqual(planDay(definition, evidenceOf()));
    expect(planDay(definition, evidenceOf()).date).toBe(DATE);
  });
});
