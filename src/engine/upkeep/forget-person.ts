import { PipelineError, errorCodeOf } from '../../errors.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import { forgottenKey } from '../../pipelines/forgetting.ts';
import type { ForgottenPerson } from '../../pipelines/forgetting.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { changeDocument } from '../change-document.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { withdrawGone } from '../publish/withdraw-gone.ts';
import { destroyObjects, refuseWhileAway } from '../records/destroy-objects.ts';
import { FORGOTTEN_NAME } from '../download/leave-out.ts';
import { forgottenPersons, personHash, secretOf, whoIsForgotten } from '../records/forgotten.ts';
import { runsUnderWay } from '../records/promises.ts';
import type { RunUnderWay } from '../records/promises.ts';
import { cutPersonsOut, replaceInReceipts } from './cut-persons-out.ts';
import { makeAgain } from './make-again.ts';
import type { NotMade } from './make-again.ts';
import { findOtherNames, keepOtherNames } from './other-names.ts';
import { findPersonsRows } from './persons-rows.ts';
import type { PersonsRows } from './persons-rows.ts';
import { rawsNaming } from './raw-search.ts';
import { scrubRecords, standingAlone } from './scrub-records.ts';

/**
 * Removes persons for good. Invariants, cited by `test/unit/forget-person.long.test.ts`:
 * 1. First it is written down who is forgotten, by a keyed hash, and before anything goes by which
 *    other names: from then on no slice has rows of that person, whoever delivers them.
 * 2. Before anything is destroyed, the slices and raw files with such rows are written down. Killed
 *    at any moment, the same request, or a reconciliation, ends the work.
 * 3. Days and periods are made again by the plans and steps of any run, and only those that were
 *    made of such rows.
 * 4. What was made of such rows and of nothing else is destroyed, in old versions too; their
 *    records stay and name it by its hash.
 * 5. Nothing is destroyed while a store is away: it waits, and says so.
 */

/** Asked again for the same person, it goes on where it was broken off. */
export interface ForgetRequest {
  readonly pipeline: string;
  /** As people write it; it is kept nowhere. */
  readonly id: string;
  readonly reason: string;
  readonly by: string;
  /** Say what would be touched; nothing is written. */
  readonly dryRun: boolean;
}

/** What was done, or would be, in counts that name nobody. */
export interface Forgetting {
  readonly pipeline: string;
  /** The keyed hash by which the person is known now. */
  readonly person: string;
  /** `waiting`: a store is away; a reconciliation ends it. `planned`: a dry run. */
  readonly state: 'done' | 'waiting' | 'planned';
  /** Days and periods that were made again, or would be. */
  readonly scopes: readonly Scope[];
  readonly slices: number;
  /**
   * Objects that were destroyed, or would be at most: what comes out the same without the person
   * stays.
   */
  readonly objects: number;
  readonly raws: number;
  /** Records that named the person. */
  readonly records: number;
  readonly bytes: number;
  /** Days and periods that only a run can make again; what they showed is gone all the same. */
  readonly left: readonly NotMade[];
  /**
   * Runs that began before the end and have not ended: what they have read may be from before, so
   * that the request is to be made once more after them.
   */
  readonly underWay: readonly RunUnderWay[];
  /** Why it waits. */
  readonly why?: string;
}

/**
 * Forgets the person of this id, or ends an earlier try.
 *
 * @throws `INPUT_INVALID` for what can be nobody's id, and for pipelines that tell of nobody
 */
export async function forgetPerson(
  stores: Engine,
  control: StepControl,
  request: ForgetRequest,
): Promise<Forgetting> {
  const dataset = datasetOf(stores, request.pipeline);
  const { persons } = dataset;
  if (persons === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      `${request.pipeline} tells of no persons: there is nobody to forget`,
    );
  const key = await persons.keyOf(request.id);
  const person = personHash(await secretOf(stores), request.pipeline, key);
  const work = { engine: stores, control, dataset, ids: [...new Set([request.id.trim(), key])] };
  if (request.dryRun) return { ...(await plan(work, person)), person };
  const why = await remember(work, request, person);
  if (why !== undefined) return { ...waiting(request.pipeline, why), person };
  return { ...(await removeOrWait(work)), person };
}

/**
 * Ends what began while a store was away or was killed, in every pipeline. Without the ids, names
 * in records and unread raw files are left to `forget`.
 */
export async function endForgetting(engine: Engine, control: StepControl): Promise<Forgetting[]> {
  const ended: Forgetting[] = [];
  for (const name of Object.keys(engine.datasets)) {
    const dataset = datasetOf(engine, name);
    if (dataset.persons === undefined) continue;
    const open = (await forgottenPersons(engine.documents, name)).filter(
      ({ state }) => state === 'open',
    );
    if (open.length === 0) continue;
    const result = await removeOrWait({ engine, control, dataset, ids: undefined });
    ended.push(...open.map(({ person }) => ({ ...result, person })));
  }
  return ended;
}

interface Work {
  readonly engine: Engine;
  readonly control: StepControl;
  readonly dataset: Dataset;
  /** The id and the key, where they are known. */
  readonly ids: readonly string[] | undefined;
}

/** What finds these names in records and raw files. */
function wordsOf({ ids }: Pick<Work, 'ids'>, names: Iterable<string> = []): RegExp | undefined {
  return ids === undefined ? undefined : standingAlone([...new Set([...ids, ...names])]);
}

type Outcome = Omit<Forgetting, 'person'>;

const NOTHING = {
  scopes: [],
  slices: 0,
  objects: 0,
  raws: 0,
  records: 0,
  bytes: 0,
  left: [],
  underWay: [],
} as const;

function waiting(pipeline: string, why: string): Outcome {
  return { pipeline, state: 'waiting', ...NOTHING, why };
}

async function plan(work: Work, person: string): Promise<Outcome> {
  const { engine, control, dataset } = work;
  const { name: pipeline } = dataset.definition;
  const secret = await secretOf(engine);
  const isPerson = (key: string): boolean => personHash(secret, pipeline, key) === person;
  const others = namesOf(await findOtherNames(engine, control, dataset, isPerson));
  const words = wordsOf(work, others);
  const isThis = (key: string): boolean => isPerson(key) || others.has(key);
  const rows = await findPersonsRows(engine, control, dataset, isThis, { slices: [], raws: [] });
  const named = words === undefined ? [] : await rawsNaming(engine, control, dataset, words);
  const records =
    words === undefined ? 0 : await scrubRecords(engine, pipeline, words, { dryRun: true });
  return {
    ...countsOf(pipeline, withRaws(rows, named)),
    state: 'planned',
    records,
    left: [],
    underWay: [],
  };
}

function namesOf(found: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  return new Set([...found.values()].flatMap((names) => [...names]));
}

function withRaws(rows: PersonsRows, more: PersonsRows['raws']): PersonsRows {
  return {
    ...rows,
    raws: [...new Map([...rows.raws, ...more].map((raw) => [raw.key, raw])).values()],
  };
}

function countsOf(pipeline: string, { slices, made, raws, current }: PersonsRows) {
  const bytes = [...made.objects, ...raws].reduce((sum, object) => sum + object.bytes, 0);
  const scopes = current.map(({ scope }) => scope);
  return {
    pipeline,
    scopes,
    slices: slices.size,
    objects: made.objects.length,
    raws: raws.length,
    bytes,
  };
}

/** Invariant 1. Returns why only this host knows it yet. */
async function remember(
  { engine, ids }: Work,
  { pipeline, reason, by }: ForgetRequest,
  person: string,
): Promise<string | undefined> {
  const words = wordsOf({ ids });
  const told = (text: string): string =>
    words === undefined ? text : text.replace(words, FORGOTTEN_NAME);
  const at = engine.now().toISOString();
  const put = await changeDocument<ForgottenPerson>(
    engine.documents,
    forgottenKey({ pipeline, person }),
    (known): ForgottenPerson => ({
      ...{ pipeline, person, at, by: told(by), reason: told(reason), slices: [], raws: [] },
      ...known,
      state: 'open',
    }),
  );
  return put.isPending === true
    ? (engine.fallback?.away() ?? 'earlier writes of this host wait')
    : undefined;
}

/** Invariant 5. */
async function removeOrWait(work: Work): Promise<Outcome> {
  const { engine, dataset } = work;
  const { name: pipeline } = dataset.definition;
  try {
    await refuseWhileAway(engine);
    return await remove(work);
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE' || engine.fallback === undefined) throw error;
    return waiting(pipeline, (error as Error).message);
  }
}

async function remove(work: Work): Promise<Outcome> {
  const { engine, control, dataset } = work;
  const { name: pipeline } = dataset.definition;
  const known = await whoIsForgotten(engine, pipeline);
  if (known === undefined) return { pipeline, state: 'done', ...NOTHING };
  control.progress('looking for other names');
  const others = await findOtherNames(engine, control, dataset, known);
  await keepOtherNames(engine, pipeline, others);
  const isForgotten = (await whoIsForgotten(engine, pipeline)) ?? known;
  const words = wordsOf(work, namesOf(others));
  // First, so that nothing that is made of records has the names again.
  control.progress('taking names out of records');
  const records = words === undefined ? 0 : await scrubRecords(engine, pipeline, words);
  control.progress('looking for rows');
  const journal = await journalOf(engine, pipeline);
  const named = words === undefined ? [] : await rawsNaming(engine, control, dataset, words);
  const rows = withRaws(
    await findPersonsRows(engine, control, dataset, isForgotten, journal),
    named,
  );
  control.progress('writing down what goes');
  await writeJournal(engine, pipeline, rows);
  control.progress('writing slices again');
  const replaced = await cutPersonsOut(engine, control, dataset, rows.downloads, isForgotten);
  control.progress('replacing slices');
  await replaceInReceipts(engine, dataset, replaced);
  control.progress('making days again');
  const left = await makeAgain(engine, control, dataset.definition, rows.current);
  control.progress('destroying what was');
  await refuseWhileAway(engine);
  // What comes out the same without the person is known now, and stays.
  const after = await findPersonsRows(
    engine,
    control,
    dataset,
    undefined,
    await journalOf(engine, pipeline),
  );
  await withdrawShown(engine, dataset, after);
  await destroyObjects(engine, pipeline, [...after.made.objects, ...after.raws], 'forgotten');
  control.progress('closing');
  await (engine.fallback?.primary.documents ?? engine.documents).compact?.();
  await closeAll(engine, pipeline);
  const scopes = rows.current.map(({ scope }) => scope);
  const underWay = await runsUnderWay(engine.documents, pipeline, engine.now());
  return { ...countsOf(pipeline, after), state: 'done', scopes, records, left, underWay };
}

/** What earlier tries wrote down. */
async function journalOf(
  engine: Engine,
  pipeline: string,
): Promise<Pick<ForgottenPerson, 'slices' | 'raws'>> {
  const open = (await forgottenPersons(engine.documents, pipeline)).filter(
    ({ state }) => state === 'open',
  );
  return { slices: open.flatMap(({ slices }) => slices), raws: open.flatMap(({ raws }) => raws) };
}

/** Invariant 2. */
async function writeJournal(
  engine: Engine,
  pipeline: string,
  { slices, raws }: PersonsRows,
): Promise<void> {
  await changeOpen(engine, pipeline, (person) => ({ ...person, slices: [...slices], raws }));
}

async function closeAll(engine: Engine, pipeline: string): Promise<void> {
  const doneAt = engine.now().toISOString();
  await changeOpen(engine, pipeline, (person) => ({ ...person, state: 'done', doneAt }));
}

async function changeOpen(
  engine: Engine,
  pipeline: string,
  change: (person: ForgottenPerson) => ForgottenPerson,
): Promise<void> {
  for (const person of await forgottenPersons(engine.documents, pipeline)) {
    if (person.state === 'open')
      await changeDocument<ForgottenPerson>(
        engine.documents,
        forgottenKey(person),
        (now = person) => change(now),
      );
  }
}

/**
 * Published names that show what is destroyed, because their day or period could not be made again
 * here.
 */
function withdrawShown(
  engine: Engine,
  { definition }: Dataset,
  { made, current }: PersonsRows,
): Promise<void> {
  const gone = new Set(made.objects.map(({ key }) => key));
  return withdrawGone(engine, definition, current, gone);
}
