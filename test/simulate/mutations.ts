import type {
  CommitRequest,
  ResolvedDay,
  ResolvedWindow,
  SelectDaysRequest,
  SelectedDays,
} from '../../src/engine/contract.ts';
import { datasetOf } from '../../src/engine/engine.ts';
import type { Engine, EngineFallback } from '../../src/engine/engine.ts';
import { planFromStores } from '../../src/engine/plan/plan-run.ts';
import { errorCodeOf } from '../../src/errors.ts';
import { ANNOUNCEMENT_TABLE } from '../../src/pipelines/announcement.ts';
import { executionSteps } from '../../src/pipelines/execution.ts';
import { RECEIPT_TABLE } from '../../src/pipelines/receipt.ts';
import type { Receipt } from '../../src/pipelines/receipt.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import type { ObjectHead, ObjectStore } from '../../src/ports/objects.ts';
import { changed } from './changed-store.ts';
import { PIPELINE } from './dataset.ts';
import type { Mutation } from './installation.ts';
import type { Activity } from './runtime/attempts.ts';

/** Mends taken out again, by name: the simulator is to find what each of them prevents. */
export const MUTATIONS = {
  /** A commit creates the version after the newest one, whatever its plan was made from. */
  'commit on any version': {
    activities: (activities) => ({
      ...activities,
      commitManifest: before<CommitRequest>(activities['commitManifest'], (request) => ({
        ...request,
        days: request.days.map((day) => omit(day, 'base')),
      })),
    }),
  },
  /** A part whose new request fails is left out of the next version. */
  'forget earlier deliveries': {
    activities: (activities) => ({
      ...activities,
      resolveDay: after<ResolvedDay>(activities['resolveDay'], (resolved) => ({
        ...resolved,
        plan: { ...resolved.plan, steps: resolved.plan.steps.map((step) => omit(step, 'since')) },
      })),
      resolveWindow: after<ResolvedWindow>(activities['resolveWindow'], (resolved) => ({
        ...resolved,
        days: resolved.days.map((day) => omit(day, 'delivered')),
      })),
    }),
  },
  /** What a version gives others to do is told by a signal alone. */
  'announce by signal only': {
    stores: (stores) => ({ ...stores, documents: without(stores.documents, ANNOUNCEMENT_TABLE) }),
  },
  /** The newest answer of a publisher is the one with the latest time of some host. */
  'order answers by clocks': {
    stores: (stores) => ({ ...stores, documents: unnumbered(stores.documents) }),
  },
  /** Whoever publishes late has the last word on a published name. */
  'publish without a fence': {
    stores: (stores) => ({ ...stores, objects: unfenced(stores.objects) }),
  },
  /**
   * A day whose wanted steps are all in the ledger counts as made, whatever its newest version
   * says.
   */
  'believe the ledger': {
    activities: (activities, engine) => ({
      ...activities,
      selectDays: async (...args) => {
        const selected = (await activities['selectDays']?.(...args)) as SelectedDays;
        const { request } = args[0] as SelectDaysRequest;
        return request.select === 'all' ? selected : withoutReused(engine, selected);
      },
    }),
  },
  /**
   * A migration that was broken off goes on after the last object that it noted, and looks for
   * nothing else.
   */
  'go on where the migration ended': {
    migration: (options) => {
      const { from, notes } = options;
      const noted = [...(notes?.all() ?? [])].flatMap(({ name }) =>
        typeof name === 'string' ? [name] : [],
      );
      const last = noted.sort().at(-1) ?? '';
      const list: ObjectStore['list'] = (prefix) => listedAfter(from.objects.list(prefix), last);
      return {
        ...options,
        from: { ...from, objects: changed(from.objects, { list }) },
        naming: {},
      };
    },
  },
  /** Whether an object is there and right is asked of the host's cache. */
  'believe the cache': {
    engine: (engine) => ({
      ...engine,
      objects: believing(engine.objects),
      ...(engine.fallback === undefined ? {} : { fallback: believingHost(engine.fallback) }),
    }),
  },
  /** A collection goes on while a store is away, and its deletions are journaled. */
  'collect in an outage': {
    engine: (engine) => {
      const { fallback, objects, documents } = engine;
      if (fallback === undefined) return engine;
      const blind: Engine['fallback'] = {
        ...fallback,
        primary: { objects, documents },
        away: () => undefined,
        pending: () => Promise.resolve(0),
      };
      return { ...engine, fallback: blind };
    },
  },
} as const satisfies Readonly<Record<string, Mutation>>;

function omit<T extends object, K extends keyof T>(whole: T, name: K): Omit<T, K> {
  const rest = { ...whole };
  Reflect.deleteProperty(rest, name);
  return rest;
}

function before<T>(activity: Activity | undefined, change: (request: T) => T): Activity {
  return (request, ...rest) => activity?.(change(request as T), ...rest) ?? Promise.resolve();
}

function after<T>(activity: Activity | undefined, change: (result: T) => T): Activity {
  return async (...args) => change((await activity?.(...args)) as T);
}

/** The documents without one table, which nobody can write to. */
function without(documents: DocumentStore, table: string): DocumentStore {
  return changed(documents, {
    createMany: (many) =>
      many.some(({ key }) => key.table === table)
        ? Promise.resolve(many.map(() => true))
        : documents.createMany(many),
    put: (key, body, options) =>
      key.table === table ? Promise.resolve({ version: 1 }) : documents.put(key, body, options),
  });
}

function unnumbered(documents: DocumentStore): DocumentStore {
  return changed(documents, {
    put: (key, body, options) =>
      documents.put(
        key,
        key.table === RECEIPT_TABLE ? omit(body as Receipt, 'sequence') : body,
        options,
      ),
  });
}

/** The pieces of work of a host get its stores anew, each time. */
function believingHost(fallback: EngineFallback): EngineFallback {
  return {
    ...fallback,
    forWork: () => {
      const stores = fallback.forWork();
      return { ...stores, objects: believing(stores.objects) };
    },
  };
}

function believing(objects: ObjectStore): ObjectStore {
  return changed(objects, {
    inspect: async (ref) => {
      try {
        return (await objects.openLocal(ref)) === undefined
          ? { state: 'missing' }
          : { state: 'intact' };
      } catch (error) {
        if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
        return { state: 'damaged' };
      }
    },
    openLocal: (ref) => objects.openLocal(ref),
  });
}

function unfenced(objects: ObjectStore): ObjectStore {
  return changed(objects, {
    put: (key, body, options) => objects.put(key, body, omit(options, 'fence')),
    delete: (key) => objects.delete(key),
  });
}

/** Without the days that have a version and of which no step would run. */
async function withoutReused(
  engine: Engine,
  { windows, ...selected }: SelectedDays,
): Promise<SelectedDays> {
  const { definition } = datasetOf(engine, PIPELINE);
  const { plans, manifests } = await planFromStores(engine, definition, windows.flat(), {
    offline: true,
  });
  const ids = new Set(executionSteps(definition, 2).map(({ id }) => id));
  const reused = plans.filter(
    ({ date, steps }) =>
      manifests.has(date) && !steps.some(({ step, action }) => ids.has(step) && action === 'run'),
  );
  const made = new Set(reused.map(({ date }) => date));
  return {
    ...selected,
    windows: windows
      .map((dates) => dates.filter((date) => !made.has(date)))
      .filter((dates) => dates.length > 0),
    complete: selected.complete + made.size,
  };
}

async function* listedAfter(
  heads: AsyncIterable<ObjectHead>,
  last: string,
): AsyncGenerator<ObjectHead> {
  for await (const head of heads) if (head.key > last) yield head;
}
