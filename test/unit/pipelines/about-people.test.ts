import { describe, expect, it } from 'vitest';
import {
  isAboutPeople,
  openDecisions,
  openDiff,
  PERSONAL_UNIT,
} from '../../../src/pipelines/about-people.ts';
import type { Decision } from '../../../src/pipelines/decision.ts';
import type { OutputDefinition, PipelineDefinition } from '../../../src/pipelines/definition.ts';
import type { VersionDiff } from '../../../src/pipelines/version-diff.ts';

function pipeline(
  outputs: Readonly<Record<string, Partial<OutputDefinition>>>,
): PipelineDefinition {
  const checks = [
    { id: 'months', title: 'x', severity: 'hold', perUnit: true },
    { id: 'groups', title: 'x', severity: 'hold', perUnit: true, unitClass: 'open' },
  ];
  return {
    name: 'x',
    parts: [],
    steps: [{ id: 'report/daily', outputs, checks }],
    rollups: [],
  } as never;
}

const PEOPLE = {
  rows: { columns: { meter_key: 'personal' } },
  csv: { class: 'open' },
  page: {},
} as const;

describe('an output', () => {
  it('without a word of itself is about people where its pipeline is, and nowhere else', () => {
    expect(isAboutPeople(pipeline(PEOPLE), {})).toBe(true);
    expect(isAboutPeople(pipeline({ page: {} }), {})).toBe(false);
  });

  it('is about people by the stricter of its class and its columns', () => {
    const open = pipeline({});
    expect(isAboutPeople(open, { class: 'open', columns: { meter_key: 'personal' } })).toBe(true);
    expect(isAboutPeople(open, { class: 'secret', columns: {} })).toBe(true);
    expect(isAboutPeople(pipeline(PEOPLE), { class: 'open' })).toBe(false);
    expect(isAboutPeople(pipeline(PEOPLE), { columns: { hour: 'open' } })).toBe(false);
  });
});

describe('what is left for all readers', () => {
  it('of decisions has the names of units that a check calls open, and no other', () => {
    const decided = (of: object) => ({ step: 'report/daily', ...of }) as unknown as Decision;
    const all = [
      decided({ check: 'months', unit: 'u' }),
      decided({ check: 'groups', unit: 'u' }),
      decided({}),
    ];
    expect(openDecisions(pipeline(PEOPLE), all).map(({ unit }) => unit)).toEqual([
      PERSONAL_UNIT,
      'u',
      undefined,
    ]);
    expect(openDecisions(pipeline({ page: {} }), all).map(({ unit }) => unit)).toEqual([
      'u',
      'u',
      undefined,
    ]);
  });

  it('of a difference says what changed in open outputs alone, and of those that are gone nothing', () => {
    const content = { kind: 'document', added: 0, removed: 0, changed: 1, changes: [] } as const;
    const outputs = ['rows', 'csv', 'page', 'of-before'].map((output) => ({
      output,
      before: null,
      after: null,
      content,
    }));
    const diff = { steps: [{ step: 'report/daily', outputs }] } as unknown as VersionDiff;
    const kinds = openDiff(pipeline(PEOPLE), diff).steps[0]!.outputs.map((one) => [
      one.output,
      one.content.kind,
    ]);
    expect(kinds).toEqual([
      ['rows', 'bytes'],
      ['csv', 'document'],
      ['page', 'bytes'],
      ['of-before', 'bytes'],
    ]);
  });
});
