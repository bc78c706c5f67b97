import path from 'node:path';
import { PipelineError } from '../kit/index.ts';
import type { Dataset } from '../kit/index.ts';
import { METER_PAGE_QUESTIONS } from './answers/page-questions.ts';
import { METER_DASHBOARDS, METER_QUESTIONS } from './answers/questions.ts';
import { METER_TABLES } from './answers/tables.ts';
import { metricsChanges } from './anomalies/changes-step.ts';
import { metricsFeatures, metricsLevels } from './anomalies/meter-day.ts';
import { MODEL_PART, sliceModel } from './anomalies/model-file.ts';
import { metricsModel } from './anomalies/promote-step.ts';
import { metricsScores } from './anomalies/scores-step.ts';
import { metricsSuspicions } from './anomalies/suspicions-step.ts';
import { metricsBalance, metricsWeek } from './anomalies/week.ts';
import { meterDefinition } from './definition.ts';
import { readHead } from './dialects/dialects.ts';
import { metricsEstimates } from './estimates/step.ts';
import { metricsDaily } from './marts/daily.ts';
import { metricsDay } from './marts/day.ts';
import { TRAIN_COMMAND } from './anomalies/train-command.ts';
import { METER_COMMAND } from './one-meter/command.ts';
import { metersAsPersons } from './readings/meter-key.ts';
import { READING_ROWS, sliceReadings } from './readings/slice.ts';
import { transformReadings } from './readings/transform.ts';
import { recogniseFile } from './recognise.ts';
import { metricsCurves, metricsLags } from './quality/clock-lags.ts';
import { metricsFleetRules } from './quality/fleet-rules.ts';
import { metricsRules } from './quality/rules-step.ts';
import { metricsQuality } from './quality/step.ts';
import { rollupMonth } from './periods/month.ts';
import { rollupYear } from './periods/year.ts';
import { reportDaily, reportPage, reportQuality } from './report/steps.ts';
import { SHARD_COUNTS } from './shards.ts';
import { SIDE_PARTS } from './side/parts.ts';
import { sidePartOf, sliceSide } from './side/slice.ts';
import { METER_SOURCES } from './source.ts';

/**
 * Meters with the secret that their keys are made with, in so many shards of `SHARD_COUNTS`. The
 * secret is asked for when a file is read and at no other time.
 */
export function smartMeterWith(secret: () => Promise<string>, shards = 1): Dataset {
  return {
    definition: meterDefinition(shards),
    sources: METER_SOURCES,
    slice: async (task, sql) => {
      if (task.part === MODEL_PART) return sliceModel(task, sql);
      const part = SIDE_PARTS.find(({ id }) => id === task.part);
      if (part === undefined) return sliceReadings(task, sql, { secret: await secret(), shards });
      const head = await readHead(task.raw.path, path.basename(task.raw.path));
      if (sidePartOf(head)?.id !== part.id) {
        throw new PipelineError(
          'SRC_SHAPE_CHANGED',
          `the list of ${part.id} lacks one of its columns ${part.required.join(', ')}`,
        );
      }
      return sliceSide(task, part, sql, await secret());
    },
    persons: metersAsPersons(secret),
    rowsOf: (part) => (part === 'readings' ? READING_ROWS : undefined),
    steps: {
      'transform/readings': transformReadings,
      'metrics/daily': metricsDaily,
      'metrics/week': metricsWeek,
      'metrics/balance': metricsBalance,
      'metrics/levels': metricsLevels,
      'metrics/suspicions': metricsSuspicions,
      'metrics/features': metricsFeatures,
      'metrics/estimates': metricsEstimates,
      'metrics/model': metricsModel,
      'metrics/scores': metricsScores,
      'metrics/changes': metricsChanges,
      'metrics/curves': metricsCurves,
      'metrics/lags': metricsLags,
      'metrics/fleet-rules': metricsFleetRules,
      'metrics/rules': metricsRules,
      'metrics/quality': metricsQuality,
      'metrics/day': metricsDay,
      'report/daily': reportDaily,
      'report/page': reportPage,
      'report/quality': reportQuality,
      'rollup/month': rollupMonth,
      'rollup/year': rollupYear,
    },
    tables: METER_TABLES,
    questions: [...METER_QUESTIONS, ...METER_PAGE_QUESTIONS],
    dashboards: METER_DASHBOARDS,
    commands: [METER_COMMAND, TRAIN_COMMAND],
    recognise: async (file, sql) => recogniseFile(file, sql, await secret()),
    withSecret: (known) => smartMeterWith(known, shards),
    shards: { of: SHARD_COUNTS, with: (of) => smartMeterWith(secret, of) },
  };
}

/** Readings of smart meters; without a secret no file can be read. */
export const smartMeter: Dataset = smartMeterWith(() =>
  Promise.reject(
    new PipelineError(
      'CONFIG_INVALID',
      'the keys of meters need a secret: set QUOTIDIEN_METER_SECRET',
    ),
  ),
);
