import { PipelineError } from '../kit/index.ts';
import type { Dataset, NameRows } from '../kit/index.ts';
import { ENEDIS_DASHBOARDS, ENEDIS_QUESTIONS } from './answers/questions.ts';
import { ENEDIS_TABLES } from './answers/tables.ts';
import { ENEDIS_COMMANDS } from './commands/commands.ts';
import { ENEDIS_RAW_NAMES } from './days/raw-names.ts';
import { recogniseFile } from './days/recognise.ts';
import { deliveryPoints } from './days/delivery-points.ts';
import { sliceRawFile } from './days/slice.ts';
import { transformOf } from './days/transform.ts';
import { DELIVERED } from './decode/archive-name.ts';
import { enedisDecoder } from './days/decoder.ts';
import { enedisDefinition } from './definition.ts';
import { NEEDED_EVENTS } from './billing/needed-events.ts';
import { nameOfMonth } from './model/unit-names.ts';
import { agedRates } from './rates/expiry.ts';
import { metricsEvents } from './report/events.ts';
import { metricsArchives, reportDaily, reportPage } from './report/steps.ts';
import { ENEDIS_SOURCES } from './source.ts';
import { transformLines } from './lines/transform-lines.ts';
import { rollupHistory } from './rollup/history.ts';
import { rollupMonth } from './rollup/month.ts';

/**
 * A supplier's electricity: from the distributor's archives to the months of each contract. The
 * secret of the installation is asked for when months of contracts get their pseudonyms.
 */
function enedisWith(secret: () => Promise<string>): Dataset {
  return {
    definition: enedisDefinition,
    sources: ENEDIS_SOURCES,
    decoder: enedisDecoder,
    slice: sliceRawFile,
    persons: deliveryPoints,
    rowNames: { 'rollup/history': { mois: monthNames(secret) } },
    steps: {
      ...Object.fromEntries(
        DELIVERED.map((flux) => [`transform/${flux.toLowerCase()}`, transformOf(flux)]),
      ),
      'transform/lignes': transformLines,
      'metrics/archives': metricsArchives,
      'metrics/evenements': metricsEvents,
      'report/daily': reportDaily,
      'report/page': reportPage,
      'rollup/month': rollupMonth,
      'rollup/history': rollupHistory(secret),
    },
    neededTables: NEEDED_EVENTS,
    agedLists: agedRates,
    tables: ENEDIS_TABLES,
    questions: ENEDIS_QUESTIONS,
    dashboards: ENEDIS_DASHBOARDS,
    rawNames: ENEDIS_RAW_NAMES,
    commands: ENEDIS_COMMANDS,
    recognise: recogniseFile,
    withSecret: enedisWith,
  };
}

/** Months of contracts are told of under their pseudonyms. */
function monthNames(secret: () => Promise<string>): NameRows {
  return async (rows) => {
    const key = await secret();
    return rows.map((row) =>
      nameOfMonth(key, row['ref_situation_contractuelle'] as string, row['mois'] as string),
    );
  };
}

/** Without a secret no history can be made. */
export const enedis: Dataset = enedisWith(() =>
  Promise.reject(
    new PipelineError(
      'CONFIG_INVALID',
      'the pseudonyms of contracts need a secret: set QUOTIDIEN_METER_SECRET',
    ),
  ),
);
