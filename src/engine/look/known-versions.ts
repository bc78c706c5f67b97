import type { Change } from '../../pipelines/change.ts';
import { datesBetween, monthOf } from '../../pipelines/civil-date.ts';
import { unitsHeldIn } from '../../pipelines/held-units.ts';
import { scopePartition } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { placeOf } from '../../pipelines/stored-records.ts';
import type { DaySpan } from '../../pipelines/tables.ts';
import type { CivilDate, Scope, StepId, Verdict } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { toldChanges } from '../publish/changes.ts';
import { readRows } from '../records/read-rows.ts';

/** What readers of outputs need of a manifest version; a manifest has ten times as much. */
export interface KnownVersion {
  readonly scope: Scope;
  readonly version: number;
  readonly verdict: Verdict;
  /** ISO instant. */
  readonly committedAt: string;
  readonly facts: JsonObject;
  /** By `<step>:<output>`. */
  readonly outputs: Readonly<Record<string, ArtefactRef>>;
  /** By step, of those that were done. */
  readonly keys: Readonly<Record<StepId, string>>;
  /** Held units that nobody has decided on. */
  readonly waitingUnits: number;
}

/** A copy of the newest changes is asked for again after this long. */
const LOOK_AGAIN_MS = 1_000;
/**
 * A change is told before its version is there, by the clock of its host: what was told this long
 * ago is looked at again.
 */
const LOOK_BACK_MS = 60_000;
/**
 * Versions of releases that told no changes, or that came by a replay, are seen after at most this
 * long.
 */
const READ_AGAIN_MS = 300_000;
const MAX_CHANGES = 10_000;
const QUERIES_AT_ONCE = 8;

interface Partition {
  readonly readAt: number;
  readonly versions: Promise<ReadonlyMap<Scope, readonly KnownVersion[]>>;
}

/**
 * The versions of a pipeline in memory, for many readers of the same days. Invariants:
 * 1. What is given is what the stores had at most `LOOK_AGAIN_MS` before, for every version whose
 *    change was told.
 * 2. Months of days are read as a whole and kept until a change in them is told, or
 *    `READ_AGAIN_MS`.
 * 3. While `state` gives the same object, everything else gives the same versions.
 */
export class KnownVersions {
  readonly #engine: Engine;
  readonly #partitions = new Map<string, Partition>();
  readonly #looked = new Map<string, { at: number; done: Promise<void> }>();

  #state = {};
  /** Milliseconds since the epoch: until then no month is as old as to be read again. */
  #until = Infinity;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * A new object whenever the versions of the pipeline may be others than before; to be compared by
   * identity.
   */
  async state(pipeline: string): Promise<object> {
    await this.#look(pipeline);
    const now = this.#engine.now().getTime();
    if (now < this.#until) return this.#state;
    for (const [name, { readAt }] of this.#partitions)
      if (now - readAt >= READ_AGAIN_MS) this.#partitions.delete(name);
    this.#until = Math.min(
      ...[...this.#partitions.values()].map(({ readAt }) => readAt + READ_AGAIN_MS),
    );
    this.#state = {};
    return this.#state;
  }

  /** The versions of each scope, oldest first; scopes without one are left out. */
  async of(
    pipeline: string,
    scopes: readonly Scope[],
  ): Promise<ReadonlyMap<Scope, readonly KnownVersion[]>> {
    await this.#look(pipeline);
    const partitions = new Set(scopes.map((scope) => scopePartition(pipeline, scope)));
    const read = await mapConcurrent([...partitions], QUERIES_AT_ONCE, (name) => this.#read(name));
    const found = new Map<Scope, readonly KnownVersion[]>();
    const wanted = new Set(scopes);
    for (const versions of read)
      for (const [scope, all] of versions) if (wanted.has(scope)) found.set(scope, all);
    return found;
  }

  /**
   * The newest version of each scope, or the newest that was committed at an instant or before it.
   */
  async newest(
    pipeline: string,
    scopes: readonly Scope[],
    asOf?: string,
  ): Promise<ReadonlyMap<Scope, KnownVersion>> {
    const newest = new Map<Scope, KnownVersion>();
    for (const [scope, versions] of await this.of(pipeline, scopes)) {
      const last =
        asOf === undefined
          ? versions.at(-1)
          : versions.findLast(({ committedAt }) => committedAt <= asOf);
      if (last !== undefined) newest.set(scope, last);
    }
    return newest;
  }

  /** First and last day that has a version; undefined before the first one. */
  async span(pipeline: string): Promise<DaySpan | undefined> {
    const { definition } = datasetOf(this.#engine, pipeline);
    const today = civilDateAt(this.#engine.now(), definition.zone);
    const days = [
      ...(await this.of(pipeline, datesBetween(firstDayOf(definition), today))).keys(),
    ].sort();
    const [from, to] = [days[0], days.at(-1)];
    return from === undefined || to === undefined ? undefined : { from, to };
  }

  /** Forgets what changes have been told since the last look. */
  #look(pipeline: string): Promise<void> {
    const now = this.#engine.now().getTime();
    const looked = this.#looked.get(pipeline);
    if (looked !== undefined && now - looked.at < LOOK_AGAIN_MS) return looked.done;
    const since = new Date((looked?.at ?? now) - LOOK_BACK_MS).toISOString();
    const done = this.#forget(pipeline, since);
    this.#looked.set(pipeline, { at: now, done });
    done.catch(() => this.#looked.delete(pipeline));
    return done;
  }

  async #forget(pipeline: string, since: string): Promise<void> {
    const changes = await toldChanges(this.#engine.documents, pipeline, {
      since,
      limit: MAX_CHANGES,
    });
    if (changes.length === MAX_CHANGES) {
      this.#partitions.clear();
      this.#state = {};
    }
    for (const change of changes) {
      if (await this.#has(change)) continue;
      this.#partitions.delete(partitionOf(change));
      this.#state = {};
    }
  }

  async #has(change: Change): Promise<boolean> {
    const versions = await this.#partitions.get(partitionOf(change))?.versions;
    return versions?.get(change.scope)?.some(({ version }) => version === change.version) ?? false;
  }

  #read(name: string): Promise<ReadonlyMap<Scope, readonly KnownVersion[]>> {
    const now = this.#engine.now().getTime();
    const known = this.#partitions.get(name);
    if (known !== undefined && now - known.readAt < READ_AGAIN_MS) return known.versions;
    const versions = this.#load(name);
    this.#partitions.set(name, { readAt: now, versions });
    this.#until = Math.min(this.#until, now + READ_AGAIN_MS);
    this.#state = {};
    versions.catch(() => this.#partitions.delete(name));
    return versions;
  }

  /** A row that cannot be read leaves its scope out: `status` and `gaps` say which one it is. */
  async #load(partition: string): Promise<ReadonlyMap<Scope, readonly KnownVersion[]>> {
    const byScope = new Map<Scope, KnownVersion[]>();
    const damaged = new Set<Scope>();
    for await (const row of readRows<Manifest>(this.#engine.documents, {
      table: MANIFEST_TABLE,
      partition,
    })) {
      if ('unreadable' in row) {
        damaged.add(placeOf(row.unreadable).scope);
        continue;
      }
      const version = versionOf(row.body);
      const known = byScope.get(version.scope);
      if (known === undefined) byScope.set(version.scope, [version]);
      else known.push(version);
    }
    for (const scope of damaged) byScope.delete(scope);
    return byScope;
  }
}

function partitionOf({ pipeline, scope }: Pick<Change, 'pipeline' | 'scope'>): string {
  return scopePartition(pipeline, scope);
}

function versionOf({ scope, version, verdict, run, facts, steps }: Manifest): KnownVersion {
  const outputs: Record<string, ArtefactRef> = {};
  const keys: Record<StepId, string> = {};
  for (const [step, state] of Object.entries(steps)) {
    if (state.state !== 'done') continue;
    keys[step as StepId] = state.key;
    for (const [output, ref] of Object.entries(state.outputs)) outputs[`${step}:${output}`] = ref;
  }
  const waitingUnits = unitsHeldIn({ steps }).filter(({ rejected }) => rejected !== true).length;
  return {
    scope,
    version,
    verdict,
    committedAt: run.committedAt,
    facts,
    outputs,
    keys,
    waitingUnits,
  };
}

/** The months that hold the dates, ascending. */
export function monthsOf(dates: readonly CivilDate[]): string[] {
  return [...new Set(dates.map(monthOf))];
}
