import { PipelineError } from '../kit/index.ts';
import type { Dataset, SliceTask, SqlSession, UnitOutcome } from '../kit/index.ts';
import { sliceCounts } from './slices/counts.ts';
import { BIKES, DISTRICTS, OPEN_METEO, sliceRecords, TRAFFIC, WEATHER } from './slices/records.ts';
import type { RecordReader } from './slices/records.ts';
import { sliceNetwork, sliceWorks } from './slices/tables.ts';
import { sliceRides, sliceService } from './transport/slices.ts';

type Slicer = (task: SliceTask, sql: SqlSession) => Promise<readonly UnitOutcome[]>;

function records(reader: RecordReader): Slicer {
  return (task, sql) => sliceRecords(task, sql, reader);
}

/** By part. */
const SLICERS: Readonly<Record<string, Slicer>> = {
  bikes: records(BIKES),
  traffic: records(TRAFFIC),
  weather: records(WEATHER),
  'open-meteo': records(OPEN_METEO),
  comptages: sliceCounts,
  chantiers: sliceWorks,
  referentiel: sliceNetwork,
  arrondissements: records(DISTRICTS),
  validations: sliceRides,
  'validations-rail': sliceRides,
  'service-quality': sliceService,
};

/** `Dataset.slice` of CityFlow; see there. */
export const sliceRawFile: Dataset['slice'] = (task, sql) => {
  const slicer = SLICERS[task.part];
  if (slicer === undefined)
    throw new PipelineError('INTERNAL', `cityflow has no part ${task.part}`);
  return slicer(task, sql);
};
