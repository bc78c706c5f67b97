import type { DocumentChoice } from '../config/storage-choice.ts';
import { DATASETS } from '../datasets/registry.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { RecordTable } from '../pipelines/definition.ts';
import type { NativeTables } from '../storage/shared/native-tables.ts';

type Datasets = Readonly<Record<string, Dataset>>;

/** The tables of records that the datasets declare, by name. */
function declaredTables(datasets: Datasets): [string, RecordTable][] {
  return Object.values(datasets).flatMap(({ definition }) =>
    Object.entries(definition.recordTables ?? {}),
  );
}

/** Of all datasets, in the order of their declarations. */
export function recordTableNames(datasets: Datasets = DATASETS): string[] {
  return declaredTables(datasets).map(([name]) => name);
}

/**
 * The declared tables as the store of this choice has them, where it gives them tables of their
 * own.
 */
export function recordTables(choice: DocumentChoice, datasets: Datasets = DATASETS): NativeTables {
  return Object.fromEntries(
    declaredTables(datasets).map(([table, { dynamodb, mongodb, ...shape }]) => {
      const given =
        choice.kind === 'dynamodb' ? choice.recordTables[dynamodb.setting] : mongodb.name;
      return [table, { name: given ?? dynamodb.name, ...shape }];
    }),
  );
}
