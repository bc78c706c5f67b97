import type { Dataset } from '../../pipelines/dataset.ts';
import { KIT_VERSION } from './version.ts';

/**
 * A dataset, marked with the version of the kit that it is written against: the default export of a
 * dataset module.
 */
export function defineDataset(dataset: Omit<Dataset, 'kit'>): Dataset {
  return { ...dataset, kit: KIT_VERSION };
}
