import type { Client } from '@temporalio/client';
import type { Engine } from '../engine/engine.ts';
import { placeObject } from '../engine/watch/place-objects.ts';
import type { IgnoredObject } from '../engine/watch/place-objects.ts';
import { readObjectNotices } from '../pipelines/object-notice.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { SEARCH_KEYS } from '../workflows/search-keys.ts';

/** Runs that notifications of object stores start, or wake when they are under way. */

/** What came of a message. */
export interface HeardObjects {
  /** Ids of the runs that take the objects in: days, and the watch for batch files. */
  readonly runs: readonly string[];
  readonly ignored: readonly IgnoredObject[];
  readonly remarks: readonly string[];
}

/** What a message is about, before anything is started. */
export interface ObjectOrders {
  /** Each run once, however many of its objects the message names. */
  readonly orders: readonly ObjectOrder[];
  readonly ignored: readonly IgnoredObject[];
  readonly remarks: readonly string[];
}

/** A run that takes objects in; `id` is the workflow's. */
export interface ObjectOrder {
  readonly id: string;
  readonly pipeline: string;
  /** Null: the watch. */
  readonly date: CivilDate | null;
}

/**
 * Reads a message; a store that does not answer is an error, and the message is to be sent again.
 */
export async function ordersOf(engine: Engine, message: unknown): Promise<ObjectOrders> {
  const { created, remarks } = readObjectNotices(message);
  const orders = new Map<string, ObjectOrder>();
  const ignored: IgnoredObject[] = [];
  for (const notice of created) {
    const placed = await placeObject(engine, notice);
    if ('why' in placed) {
      ignored.push(placed);
      continue;
    }
    const { pipeline, date } = placed;
    const id = date === null ? `watch/${pipeline}` : `day/${pipeline}/${date}`;
    orders.set(id, { id, pipeline, date });
  }
  return { orders: [...orders.values()], ignored, remarks };
}

/**
 * Starts the runs, or tells those that are under way to look again. Resolves when Temporal has all
 * of them.
 */
export async function startOrders(
  client: Client,
  taskQueue: string,
  orders: readonly ObjectOrder[],
): Promise<void> {
  for (const { id: workflowId, pipeline, date } of orders) {
    const common = { workflowId, taskQueue, signal: 'deposited', signalArgs: [] as [] };
    if (date === null) {
      const staticSummary = `What the publisher of ${pipeline} revised`;
      await client.workflow.signalWithStart('watch', {
        ...common,
        args: [{ pipeline }],
        staticSummary,
      });
      continue;
    }
    await client.workflow.signalWithStart('day', {
      ...common,
      args: [{ pipeline, date, reason: 'revision' }],
      staticSummary: `${pipeline} ${date}`,
      typedSearchAttributes: [
        { key: SEARCH_KEYS.Pipeline, value: pipeline },
        { key: SEARCH_KEYS.DataDate, value: date },
        { key: SEARCH_KEYS.RunReason, value: 'revision' },
      ],
    });
  }
}

/** Reads a message and starts what it is about. */
export async function hearObjects(
  {
    engine,
    client,
    taskQueue,
  }: { readonly engine: Engine; readonly client: Client; readonly taskQueue: string },
  message: unknown,
): Promise<HeardObjects> {
  const { orders, ...rest } = await ordersOf(engine, message);
  await startOrders(client, taskQueue, orders);
  return { runs: orders.map(({ id }) => id), ...rest };
}
