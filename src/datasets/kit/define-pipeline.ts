import type {
  PartDefinition,
  PipelineDefinition,
  PublicationCalendar,
  ScheduleDefinition,
} from '../../pipelines/definition.ts';
import { definePipeline as checkPipeline } from '../../pipelines/define-pipeline.ts';
import type { Revision } from '../../pipelines/vocabulary.ts';
import type { Duration } from './durations.ts';
import { delayOf, minutesOf, secondsOf } from './durations.ts';

/** How long an answer counts as fresh; `'ever'`: it is not asked for again. */
export type Freshness = Duration | 'ever';

/** A part by what is special of it. */
export interface PartSpec extends Omit<
  PartDefinition,
  'expectedAfter' | 'freshForMinutes' | 'bulkWindow'
> {
  /** Default: a month. */
  readonly bulkWindow?: PartDefinition['bulkWindow'];
  /**
   * The publisher is not asked before this long after the end of the data day. Default: at once.
   */
  readonly expectedAfter?: Duration;
  /**
   * By the revision of the day that the answer gave. Default: for ever, as of files that change
   * only when given again.
   */
  readonly freshFor?: Readonly<Record<Revision | 'empty', Freshness>> & {
    readonly partial?: Freshness;
  };
}

const FRESH_FOR_EVER: NonNullable<PartSpec['freshFor']> = {
  empty: 'ever',
  provisional: 'ever',
  consolidated: 'ever',
  definitive: 'ever',
};

function freshMinutes(freshness: Freshness): number | null {
  return freshness === 'ever' ? null : minutesOf(freshness);
}

/** A part with the defaults filled in. */
export function definePart({
  expectedAfter,
  freshFor = FRESH_FOR_EVER,
  ...spec
}: PartSpec): PartDefinition {
  const { partial, ...whole } = freshFor;
  const minutes = Object.fromEntries(
    Object.entries(whole).map(([revision, freshness]) => [revision, freshMinutes(freshness)]),
  ) as Record<Revision | 'empty', number | null>;
  const ofPartial = partial === undefined ? undefined : freshMinutes(partial);
  return {
    bulkWindow: 'month',
    ...spec,
    expectedAfter: expectedAfter === undefined ? {} : delayOf(expectedAfter),
    freshForMinutes: typeof ofPartial === 'number' ? { ...minutes, partial: ofPartial } : minutes,
  };
}

/** When a day can be expected as a whole, how often to ask until then, and when to stop waiting. */
export interface PublicationSpec extends Pick<PublicationCalendar, 'finalAtCutOff'> {
  /** After the end of the data day. Default: at once. */
  readonly expectedAfter?: Duration;
  readonly pollEvery: Duration;
  readonly cutOffAfter: Duration;
  /** How long a held day waits for a decision, in days. Default: 7. */
  readonly holdDays?: number;
}

/** A schedule by what is special of it. */
export interface ScheduleSpec extends Omit<
  ScheduleDefinition,
  'catchUpMinutes' | 'jitterSeconds' | 'lagDays'
> {
  /**
   * The data date is the civil date of the nominal time minus this many days. Default: 1,
   * yesterday.
   */
  readonly lagDays?: number;
  /** After an outage, ticks that are late by at most this are made up for. Default: 7 days. */
  readonly catchUp?: Duration;
  /** Ticks are spread over so long. Default: a minute. */
  readonly jitter?: Duration;
}

/** A schedule that asks again for days that may have changed, by what is special of it. */
export type WatchSpec = Pick<
  ScheduleSpec,
  'title' | 'cron' | 'pauseOnFailure' | 'catchUp' | 'jitter'
>;

/**
 * The schedule `watch`: publishers are asked what they revised, of whatever day, and the next tick
 * waits for none that still runs. Defaults: ticks missed by up to an hour are made up for, and
 * spread over 2 minutes.
 */
export function watchSchedule(spec: WatchSpec): ScheduleSpec {
  return {
    id: 'watch',
    runs: { workflow: 'watch' },
    lagDays: 0,
    overlap: 'skip',
    catchUp: '1 hour',
    jitter: '2 minutes',
    ...spec,
  };
}

/** A pipeline as data, with durations as people write them. */
export interface PipelineSpec extends Omit<
  PipelineDefinition,
  'publication' | 'schedules' | 'rollups'
> {
  readonly publication: PublicationSpec;
  /** Default: none. */
  readonly rollups?: PipelineDefinition['rollups'];
  /** Default: none. */
  readonly schedules?: readonly ScheduleSpec[];
}

/**
 * Fills in the defaults and checks the definition once; a mistake in it is `PLAN_INVALID` and names
 * the step.
 */
export function definePipeline({
  publication,
  schedules = [],
  rollups = [],
  ...spec
}: PipelineSpec): PipelineDefinition {
  const { expectedAfter, pollEvery, cutOffAfter, holdDays = 7, ...calendar } = publication;
  return checkPipeline({
    ...spec,
    rollups,
    publication: {
      ...calendar,
      expectedAfter: expectedAfter === undefined ? {} : delayOf(expectedAfter),
      pollEveryMinutes: minutesOf(pollEvery),
      cutOffAfter: delayOf(cutOffAfter),
      holdDays,
    },
    schedules: schedules.map(
      ({ lagDays = 1, catchUp = '7 days', jitter = '1 minute', ...schedule }) => ({
        ...schedule,
        lagDays,
        catchUpMinutes: minutesOf(catchUp),
        jitterSeconds: secondsOf(jitter),
      }),
    ),
  });
}
