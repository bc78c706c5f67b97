import { defineRollup } from '../../kit/index.ts';
import type { RollupDefinition, RollupInput } from '../../kit/index.ts';
import { json, MONTHS_OF_METERS, parquet } from '../outputs.ts';

const ROWS = { keyColumns: ['meter_key', 'channel'], retention: MONTHS_OF_METERS };

function ofDays(name: string, step: RollupInput['step'], output = name): RollupInput {
  return { name, step, output, each: 'day' };
}

function monthsBack(name: string, months: number): RollupInput {
  return {
    name,
    step: 'rollup/month',
    output: 'months',
    each: 'month',
    asOf: { lag: months, within: months },
  };
}

/** Months and years of meters and of the fleet. */
export const ROLLUPS: readonly RollupDefinition[] = [
  defineRollup({
    id: 'rollup/month',
    grain: 'month',
    title: 'A month of each meter and of the fleet, and its indicators',
    inputs: [
      ofDays('daily', 'metrics/daily'),
      ofDays('fleet', 'metrics/day'),
      ofDays('losses', 'metrics/day'),
      ofDays('quality', 'metrics/quality'),
      ofDays('outages', 'download/outages', 'slice'),
      ofDays('billed', 'download/billed', 'slice'),
      {
        name: 'meters',
        step: 'download/meters',
        output: 'slice',
        each: 'day',
        asOf: { within: 31 },
      },
      monthsBack('month_before', 1),
      monthsBack('year_before', 12),
    ],
    outputs: {
      months: parquet('months/smart-meter/months', ROWS),
      fleet: json('months/smart-meter/fleet', 'processed/metrics/meter_month_{scope}.json'),
    },
    timeout: '1 hour',
  }),
  defineRollup({
    id: 'rollup/year',
    grain: 'year',
    title: 'A year of each meter',
    inputs: [{ name: 'months', step: 'rollup/month', output: 'months', each: 'month' }],
    outputs: { years: parquet('years/smart-meter/years', ROWS) },
    timeout: '1 hour',
  }),
];
