import { expect, it } from 'vitest';
import { smartMeterDefinition } from '../../../src/datasets/smart-meter/definition.ts';

/** Outputs with keys of meters, and for how many months they are kept. */

const OUTPUTS = [...smartMeterDefinition.steps, ...smartMeterDefinition.rollups].flatMap(
  ({ id, outputs }) =>
    Object.entries(outputs).map(([name, output]) => ({ name: `${id}:${name}`, ...output })),
);

it('every table whose rows are named by a meter ends', () => {
  const ofMeters = OUTPUTS.filter(({ keyColumns = [] }) => keyColumns.includes('meter_key'));
  expect(ofMeters.length).toBeGreaterThan(10);
  expect(
    ofMeters.filter(({ retention }) => retention === undefined).map(({ name }) => name),
  ).toEqual([]);
});

it.each([
  ...[
    'metrics/changes:changes',
    'metrics/quality:quality',
    'metrics/quality:expectations',
    'metrics/day:fleet',
  ],
  ...['report/daily:report', 'report/page:page'],
])('%s, a document that names meters, ends with their daily figures', (name) => {
  expect(OUTPUTS.find((output) => output.name === name)!.retention).toMatchObject({ months: 36 });
});
