import type { Client } from '@temporalio/client';
import type { SignInSettings } from '../../config/sign-in.ts';
import type { Engine } from '../../engine/engine.ts';
import type { KnownCalendar } from '../../engine/look/known-calendar.ts';
import type { KnownVersions } from '../../engine/look/known-versions.ts';
import type { RunningDay } from '../../pipelines/calendar-of-days.ts';
import type { BackfillInput } from '../../workflows/backfill.ts';
import type { DayInput } from '../../workflows/day-contract.ts';
import type { FetchInput } from '../../workflows/fetch.ts';
import type { DecidePeriodUnitInput } from '../../workflows/rollup.ts';
import type { DecideUnitInput } from '../../workflows/unit-decisions.ts';
import type { ObjectOrder, ObjectOrders } from '../../workers/hear-objects.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';

/** What the API works with; the composition root gives it. */
export interface ApiContext {
  readonly engine: Engine;
  /** Versions in memory, shared by all requests. */
  readonly known: KnownVersions;
  /** How days stand, in memory as well. */
  readonly calendar: KnownCalendar;
  /** The days that run now, as far as Temporal tells; empty when it cannot be asked. */
  readonly running: (pipeline: string) => Promise<ReadonlyMap<CivilDate, RunningDay>>;
  /**
   * For what only Temporal knows; `STORE_UNAVAILABLE` when it does not answer, `CONFIG_INVALID`
   * when there is none.
   */
  readonly withClient: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
  /** Starts runs, or joins those that are under way; each returns the id of the run. */
  readonly runs: RunStarts;
  /** What notifications of object stores are about, and the runs that they start. */
  readonly deposits: {
    ordersOf(message: unknown): Promise<ObjectOrders>;
    start(orders: readonly ObjectOrder[]): Promise<void>;
  };
  readonly taskQueue: string;
  /**
   * Waits until a request may take time of the processors, or its caller is gone; `BUSY` when too
   * many wait. Absent: each begins at once.
   */
  readonly untilRoom?: (gone: AbortSignal) => Promise<void>;
  readonly settings: ApiSettings;
}

/** Each returns the id of the run, also of one that was under way already. */
export interface RunStarts {
  startDay(input: DayInput): Promise<string>;
  startBackfill(input: BackfillInput): Promise<string>;
  startWatch(pipeline: string): Promise<string>;
  /**
   * Returns the id of the one run among those of this name; `PLAN_INVALID` while another runs.
   * `called` is kept with it.
   */
  startFetch(input: FetchInput, called: string): Promise<string>;
  /** Keeps a decision on a held unit of a day, and has the day made again. */
  decideUnit(day: Pick<DayInput, 'pipeline' | 'date'>, decision: DecideUnitInput): Promise<ToldRun>;
  /** The same of a period. */
  decidePeriodUnit(pipeline: string, decision: DecidePeriodUnitInput): Promise<ToldRun>;
}

/** A run, and what it says of an order that it has taken. */
export interface ToldRun {
  readonly id: string;
  readonly told: string;
}

/** What the server is told by whoever starts it. */
export interface ApiSettings {
  readonly version: string;
  /** Names under which the server may be addressed, lower case, without port. */
  readonly hosts: readonly string[];
  /** Only this machine can connect: reading what is open needs no key. */
  readonly loopback: boolean;
  /**
   * The https address under which others reach it, such as `https://days.example.org`; absent:
   * nobody but this machine does.
   */
  readonly publicUrl?: string;
  /** PEM; with it the server speaks https itself. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /**
   * Addresses and ranges of the proxies that speak https in its place; when there are any, no other
   * peer is answered.
   */
  readonly proxies?: readonly string[];
  /** How people sign in; absent: by the link of `quotidien console` alone. */
  readonly signIn?: SignInSettings;
  /** How long a session lasts whatever is done; twelve hours unless told otherwise. */
  readonly sessionMs?: number;
  /** How long a reader of a stream may take nothing of it; a minute unless told otherwise. */
  readonly stallMs?: number;
  /** Names the home in the commands of a text, where a person has to name it. */
  readonly nameHome?: (text: string) => string;
  /** Pages of other origins that may read. */
  readonly corsOrigins: readonly string[];
  /**
   * Requests per minute of one caller, and how many of them in a second; all keys of an owner are
   * one caller.
   */
  readonly quota: { readonly perMinute: number; readonly burst: number };
}
