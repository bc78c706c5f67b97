import { definePipeline } from '../kit/index.ts';
import type { PipelineDefinition, StepDefinition, StepInput } from '../kit/index.ts';
import { weekBefore, WEEKS } from './anomalies/features.ts';
import { WEEKS_BACK, weekEnded } from './anomalies/meter-day.ts';
import { MODEL_PART } from './anomalies/model-file.ts';
import { MODEL_CHECK } from './anomalies/promote-step.ts';
import { namesOfWeek } from './anomalies/week.ts';
import { CLOCK_DAYS, lagsBefore } from './quality/fleet-rules.ts';
import { GROUP_CHECK } from './quality/hold-groups.ts';
import { LIKE_DAYS, readingsBefore } from './estimates/step.ts';
import { DOWNLOADS, PARTS, slice } from './downloads.ts';
import { DAYS_OF_METERS, HALF_HOURS, json, parquet } from './outputs.ts';
import { ROLLUPS } from './periods/definition.ts';
import { HISTORY_BACK } from './quality/rules-step.ts';
import { QUALITY_CHECK } from './quality/step.ts';
import { READING_CHECKS } from './readings/transform.ts';
import { partInShards, stepInShards } from './shards.ts';
import { QUALITY_REPORT, REPORTS } from './report/definition.ts';
import { before, HOUR, TEN_MINUTES } from './step-parts.ts';

/** A model that nobody has trained again for two months is in force no more. */
const MODEL_HOLDS_DAYS = 62;

function daily(output: string): StepInput {
  return { name: output, step: 'metrics/daily', output };
}

function ofReadings(output: string): StepInput {
  return { name: output, step: 'transform/readings', output };
}

const WEEK_OF_DAYS = namesOfWeek('daily').map((name, days) =>
  before({ name, step: 'metrics/daily', output: 'daily' }, days),
);

const FOUR_WEEKS = WEEKS_BACK.map((days) =>
  before({ name: weekEnded(days), step: 'metrics/week', output: 'week' }, days),
);

const STEPS: readonly StepDefinition[] = [
  {
    id: 'transform/readings',
    version: 3,
    title: 'One row per meter, channel and interval: the best of all that was delivered',
    inputs: [slice('readings'), slice('head_end', 'head-end')],
    needsAnyOf: ['readings', 'head_end'],
    outputs: {
      readings: parquet('core/smart-meter/readings', {
        keyColumns: ['meter_key', 'channel', 'start_at'],
        retention: HALF_HOURS,
      }),
      rejects: parquet('core/smart-meter/rejects', {
        keyColumns: ['file', 'line'],
        retention: HALF_HOURS,
      }),
      conflicts: parquet('core/smart-meter/conflicts', {
        keyColumns: ['meter_key', 'channel', 'start_at'],
        retention: HALF_HOURS,
      }),
    },
    checks: READING_CHECKS,
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: true,
  },
  {
    id: 'metrics/daily',
    version: 3,
    title: 'A day of each meter, its hours, and partial sums of the fleet',
    inputs: [ofReadings('readings'), slice('meters')],
    outputs: {
      daily: parquet('metrics/smart-meter/daily', {
        keyColumns: ['meter_key', 'channel'],
        retention: DAYS_OF_METERS,
      }),
      hourly: parquet('metrics/smart-meter/hourly', {
        keyColumns: ['meter_key', 'channel', 'hour_at'],
        retention: HALF_HOURS,
      }),
      slots: parquet('metrics/smart-meter/slots'),
      buckets: parquet('metrics/smart-meter/buckets'),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: true,
  },
  {
    id: 'metrics/week',
    version: 2,
    title: 'Seven days of each meter',
    inputs: [...WEEK_OF_DAYS, slice('meters')],
    outputs: {
      week: parquet('metrics/smart-meter/week', {
        keyColumns: ['meter_key'],
        retention: DAYS_OF_METERS,
      }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/balance',
    version: 1,
    title: 'What each transformer gave and delivered in seven days',
    inputs: [
      ...WEEK_OF_DAYS,
      slice('meters'),
      ...namesOfWeek('injected').map((name, days) =>
        before({ name, step: 'download/injected', output: 'slice', optional: true }, days),
      ),
    ],
    outputs: { balance: parquet('metrics/smart-meter/balance', { keyColumns: ['transformer'] }) },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/suspicions',
    version: 1,
    title: 'Meters that lack energy which their transformer lacks too',
    inputs: Array.from({ length: WEEKS + 2 }, (_, weeks) => weeks).flatMap((weeks) =>
      (['week', 'balance'] as const).map((output) =>
        before({ name: weekBefore(output, weeks), step: `metrics/${output}`, output }, 7 * weeks),
      ),
    ),
    outputs: {
      suspicions: parquet('metrics/smart-meter/suspicions', {
        keyColumns: ['meter_key'],
        retention: DAYS_OF_METERS,
      }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/levels',
    version: 1,
    title: 'How the use of each segment moved within the four weeks before',
    inputs: FOUR_WEEKS,
    outputs: { levels: parquet('metrics/smart-meter/levels', { keyColumns: ['segment'] }) },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/features',
    version: 2,
    title: 'A day of each meter beside its own four weeks before',
    inputs: [
      daily('daily'),
      ...FOUR_WEEKS,
      { name: 'levels', step: 'metrics/levels', output: 'levels' },
    ],
    outputs: {
      features: parquet('metrics/smart-meter/features', {
        keyColumns: ['meter_key'],
        retention: DAYS_OF_METERS,
      }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/estimates',
    version: 1,
    title: 'What was probably used where no measured value is there',
    inputs: [
      ofReadings('readings'),
      daily('daily'),
      ...LIKE_DAYS.map((days) =>
        before(
          { name: readingsBefore(days), step: 'transform/readings', output: 'readings' },
          days,
        ),
      ),
      ...[slice('meters'), slice('registers'), slice('outages')],
    ],
    outputs: {
      estimates: parquet('metrics/smart-meter/estimates', {
        keyColumns: ['meter_key', 'channel', 'start_at'],
        retention: HALF_HOURS,
      }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/model',
    version: 1,
    title: 'Whether the new model of the day comes into force',
    inputs: [slice(MODEL_PART)],
    needsAnyOf: [MODEL_PART],
    outputs: { model: parquet('metrics/smart-meter/model', { keyColumns: ['name'] }) },
    checks: [MODEL_CHECK],
    queue: 'compute',
    timeoutSeconds: TEN_MINUTES,
    required: false,
  },
  {
    id: 'metrics/scores',
    version: 1,
    title: 'How odd the day of each meter is, by the model in force',
    inputs: [
      { name: 'features', step: 'metrics/features', output: 'features' },
      { name: 'model', step: 'metrics/model', output: 'model', optional: true },
      {
        name: 'model_before',
        step: 'metrics/model',
        output: 'model',
        optional: true,
        asOf: { lagDays: 1, withinDays: MODEL_HOLDS_DAYS },
      },
    ],
    outputs: {
      scores: parquet('metrics/smart-meter/scores', {
        keyColumns: ['meter_key'],
        retention: DAYS_OF_METERS,
      }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/changes',
    version: 1,
    title:
      'How the scores of the day are spread, and the meters furthest from what is usual for them',
    inputs: [
      daily('daily'),
      { name: 'features', step: 'metrics/features', output: 'features' },
      { name: 'scores', step: 'metrics/scores', output: 'scores', optional: true },
    ],
    outputs: { changes: json('metrics/smart-meter/changes', undefined, { ofMeters: true }) },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/curves',
    version: 1,
    title: 'The course of the day of each segment',
    inputs: [daily('slots')],
    outputs: { curves: parquet('metrics/smart-meter/curves', { keyColumns: ['segment', 'slot'] }) },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/lags',
    version: 2,
    title:
      'How well the day of each meter fits that of its segment, as it is and moved by half-hours',
    inputs: [
      ofReadings('readings'),
      { name: 'curves', step: 'metrics/curves', output: 'curves' },
      slice('meters'),
    ],
    outputs: {
      lags: parquet('metrics/smart-meter/lags', {
        keyColumns: ['meter_key'],
        retention: DAYS_OF_METERS,
      }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/fleet-rules',
    version: 1,
    title: 'Groups that lack readings, and meters whose clock is wrong',
    inputs: [
      daily('daily'),
      slice('meters'),
      ...Array.from({ length: CLOCK_DAYS }, (_, days) =>
        before(
          { name: lagsBefore(days), step: 'metrics/lags', output: 'lags', optional: true },
          days,
        ),
      ),
    ],
    outputs: {
      failing: parquet('metrics/smart-meter/fleet_failing', { retention: HALF_HOURS }),
      tested: parquet('metrics/smart-meter/fleet_tested'),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/rules',
    version: 1,
    title: 'Every rule of quality, with the rows that fail it',
    inputs: [
      ...['readings', 'rejects', 'conflicts'].map(ofReadings),
      daily('daily'),
      ...HISTORY_BACK.map((days) =>
        before({ name: `daily_${days}`, step: 'metrics/daily', output: 'daily' }, days),
      ),
      ...[slice('meters'), slice('registers'), slice('outages')],
    ],
    outputs: {
      failing: parquet('metrics/smart-meter/failing', { retention: HALF_HOURS }),
      tested: parquet('metrics/smart-meter/tested', { retention: HALF_HOURS }),
      refused: parquet('metrics/smart-meter/refused', { retention: HALF_HOURS }),
      spread: parquet('metrics/smart-meter/spread', { retention: HALF_HOURS }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/quality',
    version: 5,
    title: 'The verdicts of all rules, and the meters that cannot be believed',
    inputs: [
      ...['failing', 'tested', 'refused', 'spread'].map((output): StepInput => ({
        name: output,
        step: 'metrics/rules',
        output,
      })),
      ...['failing', 'tested'].map((output): StepInput => ({
        name: `fleet_${output}`,
        step: 'metrics/fleet-rules',
        output,
        optional: true,
      })),
      ofReadings('readings'),
      slice('meters'),
    ],
    outputs: {
      quality: json('metrics/smart-meter/quality', 'processed/metrics/meter_quality_{scope}.json', {
        ofMeters: true,
      }),
      expectations: json(
        'metrics/smart-meter/expectations',
        'processed/metrics/meter_expectations_{scope}.json',
        {
          ofMeters: true,
        },
      ),
      failures: parquet('metrics/smart-meter/failures', {
        keyColumns: ['rule', 'meter_key', 'failed_at'],
        retention: HALF_HOURS,
      }),
      held: parquet('metrics/smart-meter/held', {
        keyColumns: ['meter_key', 'rule'],
        retention: HALF_HOURS,
      }),
      held_slots: parquet('metrics/smart-meter/held_slots', { retention: HALF_HOURS }),
      held_buckets: parquet('metrics/smart-meter/held_buckets', { retention: HALF_HOURS }),
    },
    checks: [QUALITY_CHECK, GROUP_CHECK],
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: false,
  },
  {
    id: 'metrics/day',
    version: 5,
    title: 'The fleet as a whole, its groups, and the losses of transformers',
    inputs: [
      ...['daily', 'slots', 'buckets'].map(daily),
      ...[slice('meters'), slice('injected')],
      before({ name: 'week_before', step: 'metrics/week', output: 'week' }, 1),
      { name: 'suspicions', step: 'metrics/suspicions', output: 'suspicions', optional: true },
      ...['held', 'held_slots', 'held_buckets'].map((output): StepInput => ({
        name: output,
        step: 'metrics/quality',
        output,
        optional: true,
      })),
    ],
    outputs: {
      fleet: json('metrics/smart-meter/fleet', 'processed/metrics/meter_metrics_{scope}.json', {
        ofMeters: true,
      }),
      profile: parquet('metrics/smart-meter/profile', {
        keyColumns: ['cohort', 'season', 'day_type', 'half_hour'],
      }),
      losses: parquet('metrics/smart-meter/losses', { keyColumns: ['transformer'] }),
    },
    queue: 'compute',
    timeoutSeconds: HOUR,
    required: true,
  },
];

/** Of weeks a request for all shards of a step would be too large. */
const WINDOW_OF_SHARDS = 'week';

/** Readings of smart meters, from one meter to a million: in so many shards, of `SHARD_COUNTS`. */
export function meterDefinition(shards: number): PipelineDefinition {
  const steps = [...DOWNLOADS, ...STEPS, ...REPORTS, QUALITY_REPORT];
  return definePipeline({
    name: 'smart-meter',
    title: 'Smart meters',
    zone: 'Europe/Paris',
    since: '2011-01-01',
    publication: {
      expectedAfter: '8 hours',
      pollEvery: '1 hour',
      cutOffAfter: '3 days',
      finalAtCutOff: true,
    },
    parts: PARTS.map((part) => partInShards(part, shards)),
    steps: steps.map((step) => stepInShards(step, shards)),
    rollups: ROLLUPS,
    ...(shards === 1 ? {} : { workWindow: WINDOW_OF_SHARDS }),
    schedules: [
      {
        id: 'daily',
        title: 'Yesterday of all meters',
        cron: '0 8 * * *',
        catchUp: '1 day',
      },
    ],
  });
}

/** A fleet without shards. */
export const smartMeterDefinition = meterDefinition(1);
