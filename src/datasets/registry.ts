import { PipelineError } from '../errors.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import { cityflow } from './cityflow/index.ts';
import { eco2mix } from './eco2mix/index.ts';
import { eco2mixRegional } from './eco2mix-regional/index.ts';
import { enedis } from './enedis/index.ts';
import { parc } from './parc/index.ts';
import { smartMeter } from './smart-meter/index.ts';

const registered: Record<string, Dataset> = {};

/**
 * Every pipeline that this process knows: ours, and those of the modules that `settings.json`
 * names.
 */
export const DATASETS: Readonly<Record<string, Dataset>> = registered;

/**
 * Adds a dataset under the name of its pipeline; ours come the same way. Done once, when a process
 * starts.
 * @throws `CONFIG_INVALID` for a second dataset of one name; `place` says where it comes from.
 */
export function registerDataset(dataset: Dataset, place: string): void {
  const { name } = dataset.definition;
  if (registered[name] !== undefined && registered[name] !== dataset) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `${place} is a second dataset called ${name}: give its pipeline another name`,
    );
  }
  registered[name] = dataset;
}

for (const dataset of [eco2mix, eco2mixRegional, cityflow, enedis, smartMeter, parc])
  registerDataset(dataset, 'quotidien');
