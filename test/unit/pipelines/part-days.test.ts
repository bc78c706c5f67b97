import { describe, expect, it } from 'vitest';
import { definePipeline } from '../../../src/pipelines/define-pipeline.ts';
import type { PartDefinition, PipelineDefinition } from '../../../src/pipelines/definition.ts';
import { planDay } from '../../../src/pipelines/plan.ts';
import type { PlannedStep, PlanOptions } from '../../../src/pipelines/planned-step.ts';
import type { DayEvidence } from '../../../src/pipelines/day-evidence.ts';
import { DATE, evidenceOf, planDefinition } from '../../fixtures/plan-evidence.ts';

/** The small pipeline whose part `a` says more of its days. */
function withPart(changes: Partial<PartDefinition>): PipelineDefinition {
  const definition = planDefinition();
  const parts = definition.parts.map((part) => (part.id === 'a' ? { ...part, ...changes } : part));
  return definePipeline({ ...definition, parts });
}

const NOTHING: Partial<DayEvidence> = {
  manifest: undefined,
  ledger: [],
  deliveries: {},
  previousOutput: () => undefined,
};

function download(
  changes: Partial<PartDefinition>,
  evidence: Partial<DayEvidence>,
  options: PlanOptions = {},
): PlannedStep | undefined {
  return planDay(withPart(changes), evidenceOf(evidence), options).steps.find(
    ({ step }) => step === 'download/a',
  );
}

describe('a part that begins later than its pipeline', () => {
  const since = '2024-02-01';

  it('is not asked for days before, and says from when on there are data', () => {
    for (const options of [{}, { fromStep: 'download/a' }, { offline: true }] as const) {
      expect(download({ since }, NOTHING, options)).toMatchObject({
        action: 'skip',
        reason: 'a has no data before 2024-02-01',
      });
    }
  });

  it('keeps what was delivered for such a day all the same', () => {
    expect(download({ since }, {}, { recheck: true })).toMatchObject({ action: 'reuse' });
  });

  it('is refused where it begins before its pipeline', () => {
    expect(() => withPart({ since: '2019-12-31' })).toThrow(
      /a begins 2019-12-31, before the pipeline/,
    );
  });
});

describe('a part whose publisher gives a list of the moment', () => {
  const listed = { daysBefore: 1, daysAfter: 92 };
  const at = (now: string): Partial<DayEvidence> => ({ ...NOTHING, now });

  it('is asked for the day that has just ended', () => {
    expect(download({ listed }, at('2024-01-16T01:10:00Z'))).toMatchObject({ action: 'run' });
  });

  it('is never asked for a past day, which a list of today says nothing of', () => {
    for (const options of [{}, { recheck: true }, { fromStep: 'download/a' }] as const) {
      expect(download({ listed }, at('2024-01-17T01:10:00Z'), options)).toMatchObject({
        action: 'skip',
        reason: `a list of 2024-01-17 says nothing of ${DATE}; import one of that time with --as-of`,
      });
    }
  });

  it('keeps the list that it was given, whatever is asked for', () => {
    const later = { now: '2024-03-01T00:00:00Z' };
    expect(download({ listed }, later)).toMatchObject({ action: 'reuse' });
    expect(download({ listed }, later, { recheck: true })).toMatchObject({ action: 'reuse' });
  });
});
