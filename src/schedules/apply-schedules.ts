import type { Client } from '@temporalio/client';
import { definedMembers } from '../given.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import { MEMO, actualSchedule, madeSchedules } from './actual-schedules.ts';
import type { ActualSchedule } from './actual-schedules.ts';
import { COMPARED_FIELDS, declaredSchedules } from './declared-schedules.ts';
import type { DeclaredSchedule, ComparedField } from './declared-schedules.ts';

/**
 * One reconcile of declared and actual schedules. Pauses and notes are an operator's state, not
 * part of a declaration: they are kept.
 *
 * - missing: declared, and not there yet.
 * - same: nothing to do.
 * - outdated: the declaration changed since the schedule was made.
 * - edited: the declaration is the same, and somebody changed the schedule by hand.
 * - undeclared: made from a declaration that is gone.
 */
export type ScheduleStanding = 'missing' | 'same' | 'outdated' | 'edited' | 'undeclared';

/** One text of the two that differ. */
export interface FieldDifference {
  readonly field: ComparedField;
  readonly declared: string;
  readonly actual: string;
  /** Who made the difference: the declaration that changed, or somebody by hand. */
  readonly by: 'declaration' | 'hand';
}

/** Where a schedule stands, and in what it differs. */
export interface ScheduleComparison {
  readonly id: string;
  readonly standing: ScheduleStanding;
  readonly differences: readonly FieldDifference[];
}

interface Compared extends ScheduleComparison {
  readonly declared: DeclaredSchedule | undefined;
  readonly actual: ActualSchedule | undefined;
}

/** What applying would change. */
export async function compareSchedules(
  client: Client,
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): Promise<ScheduleComparison[]> {
  const compared = await compareAll(client, datasets, taskQueue);
  return compared.map(({ id, standing, differences }) => ({ id, standing, differences }));
}

/**
 * Makes Temporal's schedules what the pipelines declare, and returns what was different before. A
 * schedule that differs is replaced as a whole, so that an old and a new specification are never in
 * force together; one that does not differ is not touched.
 */
export async function applySchedules(
  client: Client,
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): Promise<ScheduleComparison[]> {
  const compared = await compareAll(client, datasets, taskQueue);
  for (const one of compared) await applyOne(client, one);
  return compared.map(({ id, standing, differences }) => ({ id, standing, differences }));
}

async function compareAll(
  client: Client,
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): Promise<Compared[]> {
  const declared = new Map(declaredSchedules(datasets, taskQueue).map((one) => [one.id, one]));
  const ids = [...new Set([...declared.keys(), ...(await madeSchedules(client, taskQueue))])];
  return Promise.all(
    ids.map(async (id) => {
      const [wanted, actual] = [declared.get(id), await actualSchedule(client, id)];
      return { id, ...compare(wanted, actual), declared: wanted, actual };
    }),
  );
}

function compare(
  declared: DeclaredSchedule | undefined,
  actual: ActualSchedule | undefined,
): Pick<ScheduleComparison, 'standing' | 'differences'> {
  // A list of schedules may lag behind: one that is neither declared nor there is gone already.
  if (declared === undefined)
    return { standing: actual === undefined ? 'same' : 'undeclared', differences: [] };
  if (actual === undefined) return { standing: 'missing', differences: [] };
  const { madeFrom } = actual;
  const differences = COMPARED_FIELDS.filter(
    (field) => declared.settings[field] !== actual.settings[field],
  ).map((field): FieldDifference => ({
    field,
    declared: declared.settings[field],
    actual: actual.settings[field],
    by: madeFrom?.settings[field] === actual.settings[field] ? 'declaration' : 'hand',
  }));
  if (madeFrom?.hash === declared.hash)
    return { standing: differences.length === 0 ? 'same' : 'edited', differences };
  return { standing: madeFrom === undefined ? 'edited' : 'outdated', differences };
}

async function applyOne(client: Client, { id, standing, declared }: Compared): Promise<void> {
  const handle = client.schedule.getHandle(id);
  if (standing === 'undeclared') await handle.delete();
  if (declared === undefined || standing === 'same') return;
  const action = {
    ...declared.options.action,
    memo: { [MEMO.hash]: declared.hash, [MEMO.settings]: declared.settings },
  };
  if (standing === 'missing') {
    const memo = { [MEMO.owner]: declared.settings['task queue'] };
    await client.schedule.create({ ...declared.options, action, scheduleId: id, memo });
    return;
  }
  await handle.update(({ state: { paused, note } }) => ({
    ...declared.options,
    action,
    state: { paused, ...definedMembers({ note }) },
  }));
}
