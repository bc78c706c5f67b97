import type { StepDefinition } from '../../kit/index.ts';
import { DAYS_OF_METERS, json, parquet } from '../outputs.ts';
import { qualityBefore, TREND_DAYS } from './steps.ts';
import { fleetBefore, WEEK_LOAD_DAYS } from './week-load.ts';
import { before, TEN_MINUTES } from '../step-parts.ts';

/** Steps that make the report of a day and what it shows. */
export const REPORTS: readonly StepDefinition[] = [
  {
    id: 'report/daily',
    version: 4,
    title: 'The day of the fleet, and its load by weekday and hour, as JSON, CSV and flat Parquet',
    inputs: [
      ...Array.from({ length: WEEK_LOAD_DAYS }, (_, days) =>
        before(
          { name: days === 0 ? 'fleet' : fleetBefore(days), step: 'metrics/day', output: 'fleet' },
          days,
        ),
      ),
      { name: 'quality', step: 'metrics/quality', output: 'quality', optional: true },
      { name: 'changes', step: 'metrics/changes', output: 'changes', optional: true },
    ],
    outputs: {
      report: json('reports/smart-meter/report', 'processed/reports/meter_report_{scope}.json', {
        ofMeters: true,
      }),
      csv: {
        layer: 'reports/smart-meter/csv',
        extension: 'csv',
        mediaType: 'text/csv; charset=utf-8',
        class: 'open',
        publishAs: 'processed/reports/meter_report_{scope}.csv',
      },
      week: {
        layer: 'reports/smart-meter/week',
        extension: 'csv',
        mediaType: 'text/csv; charset=utf-8',
        class: 'open',
        publishAs: 'processed/reports/meter_week_{scope}.csv',
      },
      table: parquet('reports/smart-meter/table', {
        columns: {},
        class: 'open',
        publishAs: 'processed/reports/meter_report_{scope}.parquet',
      }),
    },
    queue: 'report',
    timeoutSeconds: TEN_MINUTES,
    withNotes: true,
    required: true,
  },
  {
    id: 'report/page',
    version: 8,
    title: 'The day of the fleet as one self-contained page',
    inputs: [{ name: 'report', step: 'report/daily', output: 'report' }],
    outputs: {
      page: {
        layer: 'reports/smart-meter/page',
        extension: 'html',
        mediaType: 'text/html; charset=utf-8',
        publishAs: 'processed/reports/meter_report_{scope}.html',
        // It names the meters that are suspected.
        class: 'personal',
        retention: DAYS_OF_METERS,
      },
    },
    queue: 'report',
    timeoutSeconds: TEN_MINUTES,
    required: false,
    singleDaysOnly: true,
  },
];

/** The step that makes the pages of quality. */
export const QUALITY_REPORT: StepDefinition = {
  id: 'report/quality',
  version: 5,
  title: 'Data docs: the rules of a day, what they observed, and the days before',
  inputs: Array.from({ length: TREND_DAYS + 1 }, (_, days) =>
    before(
      {
        name: days === 0 ? 'quality' : qualityBefore(days),
        step: 'metrics/quality',
        output: 'quality',
      },
      days,
    ),
  ),
  outputs: {
    page: {
      layer: 'reports/smart-meter/quality',
      extension: 'html',
      mediaType: 'text/html; charset=utf-8',
      // It has the ends of keys as examples.
      class: 'personal',
      publishAs: 'processed/reports/meter_quality_{scope}.html',
    },
  },
  queue: 'report',
  timeoutSeconds: TEN_MINUTES,
  withNotes: true,
  required: false,
  singleDaysOnly: true,
};
