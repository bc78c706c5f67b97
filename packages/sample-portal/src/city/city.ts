import type { PortalDataset } from '../dataset.ts';
import { bikeCounts } from './bikes.ts';
import { roadCounts, roadNetwork } from './roads.ts';
import { cityDataset } from './table.ts';
import { districtsTable, roadworks } from './works.ts';

/** The open-data datasets of the made-up town. */
export function cityDatasets(seed: number): PortalDataset[] {
  return [
    bikeCounts(seed),
    roadCounts(seed),
    roadworks(seed),
    roadNetwork(seed),
    districtsTable(),
  ].map(cityDataset);
}
