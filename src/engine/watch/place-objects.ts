import { firstDayOf } from '../../pipelines/part-days.ts';
import type { ObjectNotice } from '../../pipelines/object-notice.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { depositKey } from '../download/deposit-notes.ts';
import type { DepositNote } from '../download/deposit-notes.ts';
import type { Engine } from '../engine.ts';

/**
 * Which pipeline and day an object is for that somebody says was put into a store, and whether it
 * is worth a run.
 */

/** An object that a run is to take in. */
export interface PlacedObject {
  /** As the notification names it. */
  readonly object: string;
  readonly pipeline: string;
  /** The day that takes it in; null: a batch file, which the watch of the pipeline takes in. */
  readonly date: CivilDate | null;
}

/** An object that starts nothing. */
export interface IgnoredObject {
  readonly object: string;
  readonly why: string;
}

type Engines = Pick<
  Engine,
  'datasets' | 'objects' | 'documents' | 'deposits' | 'objectNamed' | 'now'
>;

/** Reads the head of the object and the note on it; nothing else is looked at. */
export async function placeObject(
  engine: Engines,
  notice: ObjectNotice,
): Promise<PlacedObject | IgnoredObject> {
  const object = notice.bucket === undefined ? notice.key : `s3://${notice.bucket}/${notice.key}`;
  const name =
    engine.objectNamed?.(notice) ?? (notice.bucket === undefined ? notice.key : undefined);
  if (name === undefined) return { object, why: 'the bucket is none of the store' };
  const found = Object.entries(engine.datasets).find(
    ([, { rawNames }]) =>
      rawNames?.parts !== undefined && rawNames.roots.some((root) => name.startsWith(root)),
  );
  if (found === undefined) return { object, why: 'no pipeline reads files of this name' };
  if (engine.deposits === 'off')
    return { object, why: 'QUOTIDIEN_DEPOSITS=off: such files are imported by hand' };
  const [pipeline, { definition, rawNames }] = found;
  const why = await whyKnown(engine, pipeline, name);
  if (why !== undefined) return { object, why };
  const date = rawNames?.dayOf(name)?.date ?? null;
  if (date === null) return { object, pipeline, date };
  if (date < firstDayOf(definition))
    return { object, why: `${pipeline} has no data before ${firstDayOf(definition)}` };
  const today = civilDateAt(engine.now(), definition.zone);
  if (date >= today) return { object, why: `${date} is not over: its run takes the file in` };
  return { object, pipeline, date };
}

/** Stores tell of an object at least once, and of our own as well. */
async function whyKnown(
  engine: Engines,
  pipeline: string,
  name: string,
): Promise<string | undefined> {
  const head = await engine.objects.head(name);
  if (head === undefined) return 'there is no such object any more';
  const note = await engine.documents.get<DepositNote>(depositKey(pipeline, name));
  return note?.body.etag === head.etag ? 'it is known already' : undefined;
}
