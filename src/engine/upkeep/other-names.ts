import type { Dataset } from '../../pipelines/dataset.ts';
import { forgottenKey } from '../../pipelines/forgetting.ts';
import type { ForgottenPerson } from '../../pipelines/forgetting.ts';
import { changeDocument } from '../change-document.ts';
import { otherNamesIn } from '../download/leave-out.ts';
import type { Engine, StepControl } from '../engine.ts';
import { forgottenPersons, personHash, secretOf } from '../records/forgotten.ts';
import type { IsForgotten } from '../records/forgotten.ts';
import { wholeLedger } from '../records/ledger-reader.ts';
import { lookThroughSlices } from './persons-rows.ts';

/**
 * The other names of persons, such as the contract of a delivery point: rows that know a person by
 * such a name alone are found by it. They are in rows that go, so they are looked for before.
 */

/** The names of these persons in the slices of the pipeline, by the person's key. */
export async function findOtherNames(
  engine: Engine,
  control: Pick<StepControl, 'signal' | 'progress'>,
  dataset: Dataset,
  isForgotten: IsForgotten,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const names = new Map<string, Set<string>>();
  if (dataset.persons?.otherNameSql === undefined) return names;
  const entries = await wholeLedger(engine.documents, dataset.definition.name);
  await lookThroughSlices(engine, control, dataset, entries, async ({ part, file, sql }) => {
    for (const { person, name } of await otherNamesIn(dataset, part, sql, file)) {
      if (isForgotten(person))
        names.set(person, (names.get(person) ?? new Set<string>()).add(name));
    }
  });
  return names;
}

/**
 * Writes the names down with the open persons whose they are, as keyed hashes; doing it again
 * changes nothing.
 */
export async function keepOtherNames(
  engine: Engine,
  pipeline: string,
  found: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  if (found.size === 0) return;
  const secret = await secretOf(engine);
  const hashOf = (key: string): string => personHash(secret, pipeline, key);
  const byPerson = new Map([...found].map(([key, names]) => [hashOf(key), [...names].map(hashOf)]));
  for (const person of await forgottenPersons(engine.documents, pipeline)) {
    const names = byPerson.get(person.person);
    if (names === undefined) continue;
    await changeDocument<ForgottenPerson>(
      engine.documents,
      forgottenKey(person),
      (now = person) => {
        return { ...now, names: [...new Set([...(now.names ?? []), ...names])].sort() };
      },
    );
  }
}
