import { describe, expect, it } from 'vitest';
import {
  blockedBy,
  dayOutcome,
  executionSteps,
  inputKeys,
} from '../../../src/pipelines/execution.ts';
import type { DayState, ExecutionStep } from '../../../src/pipelines/execution.ts';
import { cityflowDefinition } from '../../../src/datasets/cityflow/definition.ts';
import { DATE, planDefinition } from '../../fixtures/plan-evidence.ts';

const steps = executionSteps(planDefinition(), 1);
const done = (key: string, empty = false) => ({ state: 'done', key, how: 'ran', empty }) as const;
const failed = (code: string) => ({ state: 'failed', code, message: `${code} happened` }) as const;

function step(id: string): ExecutionStep {
  return steps.find((candidate) => candidate.id === id)!;
}

const FINISHED: DayState = {
  'download/a': done('ka'),
  'download/b': { state: 'skipped', reason: 'no imported file holds this day' },
  'transform/table': done('kt'),
  'metrics/day': done('km'),
  'metrics/comparison': done('kc'),
  'report/day': done('kr'),
};

describe('blockedBy', () => {
  it('lets a step run when one of the inputs that it needs any of has rows', () => {
    expect(
      blockedBy(step('transform/table'), {
        'download/a': done('k'),
        'download/b': failed('SRC_AUTH'),
      }),
    ).toBeUndefined();
  });

  it('blocks a step when all of them are empty, failed or skipped', () => {
    const state: DayState = { 'download/a': done('k', true), 'download/b': failed('SRC_AUTH') };
    expect(blockedBy(step('transform/table'), state)).toBe(
      'none of download/a, download/b has rows',
    );
  });

  it('blocks a step whose required input failed, and not one whose optional input failed', () => {
    expect(blockedBy(step('metrics/day'), { 'transform/table': failed('INTERNAL') })).toBe(
      'transform/table has no output',
    );
    expect(
      blockedBy(step('report/day'), { 'metrics/comparison': failed('INTERNAL') }),
    ).toBeUndefined();
  });
});

describe('inputKeys', () => {
  it('gives null for an input without rows', () => {
    expect(
      inputKeys(step('transform/table'), {
        'download/a': done('k'),
        'download/b': done('e', true),
      }),
    ).toEqual({
      a: 'k',
      b: null,
    });
  });
});

describe('dayOutcome', () => {
  it('is ok when every required step is done and nothing failed', () => {
    expect(dayOutcome(DATE, steps, FINISHED)).toEqual({ date: DATE, verdict: 'ok' });
  });

  it('is degraded when only an optional step failed', () => {
    expect(
      dayOutcome(DATE, steps, { ...FINISHED, 'metrics/comparison': failed('INTERNAL') }).verdict,
    ).toBe('degraded');
  });

  it('names the required step that failed', () => {
    const state: DayState = {
      ...FINISHED,
      'metrics/day': failed('DATA_CHECK_FAILED'),
      'download/b': failed('SRC_AUTH'),
    };
    expect(dayOutcome(DATE, steps, state).failure).toMatchObject({
      step: 'metrics/day',
      code: 'DATA_CHECK_FAILED',
    });
  });

  it('names the failed download when it left a required step without input', () => {
    const state: DayState = {
      'download/a': failed('SRC_UNAVAILABLE'),
      'download/b': { state: 'skipped', reason: 'no file' },
      'transform/table': { state: 'skipped', reason: 'none has rows' },
      'metrics/day': { state: 'skipped', reason: 'no output' },
      'report/day': { state: 'skipped', reason: 'no output' },
    };
    expect(dayOutcome(DATE, steps, state)).toMatchObject({
      verdict: 'failed',
      failure: { step: 'download/a' },
    });
  });

  it('is no_data when there are rows without values, unless a download failed', () => {
    const state: DayState = {
      'download/a': done('k'),
      'transform/table': failed('SRC_NOT_PUBLISHED'),
    };
    expect(dayOutcome(DATE, steps, state).verdict).toBe('no_data');
    const broken = dayOutcome(DATE, steps, { ...state, 'download/b': failed('SRC_UNAVAILABLE') });
    expect(broken.failure).toMatchObject({ step: 'download/b' });
  });

  it('is no_data when a report was made of nothing at all', () => {
    const withParts = steps.map((one) =>
      one.id.startsWith('download/') ? { ...one, part: one.id } : one,
    );
    const none: DayState = {
      ...FINISHED,
      'download/a': done('k', true),
      'download/b': { state: 'skipped', reason: 'nothing is stored, and only the report is made' },
    };
    expect(dayOutcome(DATE, withParts, none).verdict).toBe('no_data');
    expect(dayOutcome(DATE, withParts, { ...none, 'download/a': done('k') }).verdict).toBe('ok');
  });

  it('is no_data when only lists came that every day has', () => {
    const withParts = steps.map((one) =>
      one.id.startsWith('download/') ? { ...one, part: one.id } : one,
    );
    const undated = withParts.map((one) =>
      one.id === 'download/a' ? { ...one, undated: true as const } : one,
    );
    expect(dayOutcome(DATE, undated, FINISHED).verdict).toBe('no_data');
    expect(dayOutcome(DATE, undated, { ...FINISHED, 'download/b': done('kb') }).verdict).toBe('ok');
  });

  it('is degraded when an operator did without a part, also without every part', () => {
    const left = { state: 'skipped', reason: 'skipped by an operator: down' } as const;
    expect(dayOutcome(DATE, steps, { ...FINISHED, 'download/b': left }).verdict).toBe('degraded');
    const all: DayState = { 'download/a': left, 'download/b': left };
    expect(dayOutcome(DATE, steps, all).verdict).toBe('degraded');
  });

  it('is no_data when nothing failed and nobody had rows', () => {
    expect(dayOutcome(DATE, steps, { 'download/a': done('k', true) }).verdict).toBe('no_data');
  });
});

describe('executionSteps', () => {
  it('says which parts are the same for many days', () => {
    const undated = executionSteps(cityflowDefinition, 1).flatMap((one) =>
      one.undated === true ? [one.id] : [],
    );
    expect(undated).toEqual(
      expect.arrayContaining(['download/referentiel', 'download/arrondissements']),
    );
    for (const dated of ['bikes', 'comptages', 'weather'])
      expect(undated).not.toContain(`download/${dated}`);
  });

  it('leaves steps that are made for single days out of a set', () => {
    const definition = planDefinition();
    const single = {
      ...definition,
      steps: definition.steps.map((s) => ({ ...s, singleDaysOnly: s.id === 'report/day' })),
    };
    expect(executionSteps(single, 31).map(({ id }) => id)).not.toContain('report/day');
    expect(executionSteps(single, 1).map(({ id }) => id)).toContain('report/day');
  });
});
