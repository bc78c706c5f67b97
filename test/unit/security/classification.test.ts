import { describe, expect, it } from 'vitest';
import {
  classifiedColumns,
  maskChange,
  maskError,
  maskOutcome,
  maskRow,
  maskWords,
} from '../../../src/pipelines/classification.ts';
import { definePipeline } from '../../../src/pipelines/define-pipeline.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

const { definition } = tinyDataset();
const columns = classifiedColumns(
  definePipeline({
    ...definition,
    parts: definition.parts.map((part) => ({
      ...part,
      columns: { Meter: 'personal', Token: 'personal', kind: 'open' },
    })),
    steps: definition.steps.map((step) => ({
      ...step,
      outputs: Object.fromEntries(
        Object.entries(step.outputs).map(([name, output]) => [
          name,
          { ...output, columns: { token: 'secret' } },
        ]),
      ),
    })),
  }),
);

describe('the columns of a pipeline', () => {
  it('are classified by name in the whole pipeline, the stricter class first, and open where nothing is said', () => {
    expect([...columns]).toEqual([
      ['meter', 'personal'],
      ['token', 'secret'],
    ]);
    expect(classifiedColumns(definition).size).toBe(0);
  });

  it('are masked at any depth of an example; what is missing stays missing', () => {
    expect(
      maskRow(columns, {
        METER: 'M1',
        at: 1,
        rows: [{ meter: null, token: 't', inner: { Meter: 7 } }],
      }),
    ).toEqual({
      METER: '[personal]',
      at: 1,
      rows: [{ meter: null, token: '[secret]', inner: { Meter: '[personal]' } }],
    });
  });

  it('are masked in facts, checks and failures of a step', () => {
    const check = {
      check: 'c',
      severity: 'warn',
      tested: 1,
      failed: 1,
      examples: [{ meter: 'M1', hour: 3 }],
    } as const;
    const done = maskOutcome(columns, {
      scope: 's',
      outputs: {},
      checks: [check],
      facts: { rows: 2, meter: 'M1' },
    });
    expect(done).toMatchObject({
      checks: [{ examples: [{ meter: '[personal]', hour: 3 }] }],
      facts: { rows: 2 },
    });
    expect(JSON.stringify(done)).not.toContain('M1');
    const failure = {
      code: 'SRC_SHAPE_CHANGED',
      message: 'row "M1;2" of 2024-01-15',
      context: { meter: 'M1' },
    } as const;
    expect(maskOutcome(columns, { scope: 's', failure })).toEqual({
      scope: 's',
      failure: {
        code: 'SRC_SHAPE_CHANGED',
        message: 'row [masked] of 2024-01-15',
        context: { meter: '[personal]' },
      },
    });
  });
});

describe('words about a classified pipeline', () => {
  it.each([
    [
      `Conversion Error: Could not convert string 'Jane Doe' to INT32`,
      'Conversion Error: Could not convert string [masked] to INT32',
    ],
    [
      'Type INT64 with value 98765432109 is out of range',
      'Type INT64 with value [masked] is out of range',
    ],
    ['CSV Error on Line: 3\nOriginal Line: Jane;1', 'CSV Error on Line: 3'],
    ['meter=M1, hour=3', 'meter=[personal], hour=3'],
    [`unfinished 'Jane`, 'unfinished [masked]'],
    ['2024-03 and 2024-03-31T22:00:00Z stay', '2024-03 and 2024-03-31T22:00:00Z stay'],
  ])('lose what is quoted, long numbers and the rows of the input: %s', (words, masked) => {
    expect(maskWords(columns, words)).toBe(masked);
  });

  it('are left alone where nothing is classified', () => {
    expect(maskWords(new Map(), `a 'b' 123456`)).toBe(`a 'b' 123456`);
  });

  it('keep no cause and no stack that would still have them', () => {
    const error = maskError(columns, new Error(`bad 'Jane'`, { cause: new Error('Jane') }));
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain('Jane');
  });
});

describe('a difference of documents', () => {
  it('says that a classified member changed, and neither from what nor by how much', () => {
    const change = { path: 'homes[3].meter.id', before: 1, after: 3, difference: 2 };
    expect(maskChange(columns, change)).toEqual({
      path: change.path,
      before: '[personal]',
      after: '[personal]',
    });
    expect(maskChange(columns, { ...change, path: 'homes[3].sum' })).toEqual({
      ...change,
      path: 'homes[3].sum',
    });
  });
});
