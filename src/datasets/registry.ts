import type { Dataset } from '../pipelines/dataset.ts';
import { cityflow } from './cityflow/index.ts';
import { eco2mix } from './eco2mix/index.ts';
import { enedis } from './enedis/index.ts';
import { smartMeter } from './smart-meter/index.ts';

/** Every pipeline that Quotidien knows. A new dataset is a folder beside this file and one line here. */
export const DATASETS: Readonly<Record<string, Dataset>> = { eco2mix, cityflow, enedis, 'smart-meter': smartMeter };
