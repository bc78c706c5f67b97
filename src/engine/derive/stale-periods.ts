import { asPipelineError, errorCodeOf } from '../../errors.ts';
import type { PipelineDefinition, RollupDefinition } from '../../pipelines/definition.ts';
import { keyIn } from '../../pipelines/manifest.ts';
import { periodsReached, scopesRead, spanAt } from '../../pipelines/period-graph.ts';
import type { Span } from '../../pipelines/period-graph.ts';
import { whyRun } from '../../pipelines/plan-reasons.ts';
import type { CivilDate, Period, StepId } from '../../pipelines/vocabulary.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { intactEntry, periodWork } from './execute-rollup.ts';
import { newestManifests, readEntries } from '../records/ledger-reader.ts';
import { publicationsOf, unpublished } from '../publish/published.ts';

/** A month, year or whole history whose output is not what its days give now. */
export interface StalePeriod {
  readonly period: Period;
  readonly step: StepId;
  readonly reason: string;
  /** One of the asked days that can change it: told to the rollup, it has the period made again. */
  readonly date: CivilDate;
}

/**
 * The periods that would be made again as the days and other pipelines are now, of those that
 * contain some of these days or read what these can change, in the order in which they would be.
 */
export async function stalePeriods(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<StalePeriod[]> {
  const { definition } = datasetOf(engine, pipeline);
  const span = spanAt(definition, engine.now());
  const stale: StalePeriod[] = [];
  for (const [step, periods] of periodsReached(definition, span, dates)) {
    const rollup = definition.rollups.find(({ id }) => id === step);
    if (rollup === undefined) continue;
    for (const period of periods) {
      const later = staleInput(rollup, period, span, stale);
      const own = await whyStale(engine, pipeline, rollup, period).catch(whyUnreadable);
      const reason =
        own ?? (later === undefined ? undefined : `after ${later.step} of ${later.period}`);
      const reaches = (date: CivilDate) =>
        periodsReached(definition, span, [date]).get(step)?.includes(period) === true;
      const date = reason === undefined ? undefined : dates.find(reaches);
      if (reason !== undefined && date !== undefined) stale.push({ period, step, reason, date });
    }
  }
  return stale;
}

/** A stale period that this one reads: it may change it. */
function staleInput(
  rollup: RollupDefinition,
  period: Period,
  span: Span,
  stale: readonly StalePeriod[],
) {
  const own = rollup.inputs.filter(({ asOf }) => asOf?.pipeline === undefined);
  const read = own.flatMap((input) =>
    scopesRead(input, period, span).map((scope) => `${input.step} ${scope}`),
  );
  const names = new Set(read);
  return stale.find((one) => names.has(`${one.step} ${one.period}`));
}

/** A row that cannot be read keeps its own period from being told of, and no other. */
function whyUnreadable(error: unknown): string {
  if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
  return asPipelineError(error).message;
}

/**
 * Undefined when the period is as its inputs give it now, and published, also when there is nothing
 * to make it from.
 */
async function whyStale(
  engine: Engine,
  pipeline: string,
  rollup: RollupDefinition,
  period: Period,
) {
  const { definition } = datasetOf(engine, pipeline);
  const outdated = await whyOutdated(engine, definition, rollup, period);
  if (outdated !== undefined) return outdated;
  const manifest = (await newestManifests(engine.documents, pipeline, [period])).get(period);
  const [behind] =
    manifest === undefined ? [] : await unpublished(engine, publicationsOf(definition, manifest));
  return behind === undefined ? undefined : `${behind.key} is missing or does not show it`;
}

/**
 * Why the period would be made again; undefined when its newest version is as its inputs give it
 * now, also when it has none.
 */
export async function whyOutdated(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<string | undefined> {
  const pipeline = definition.name;
  const work = await periodWork(engine, definition, rollup, period);
  if (work === undefined) return undefined;
  const { key, inputs } = work.identity;
  const manifest = (await newestManifests(engine.documents, pipeline, [period])).get(period);
  const before = keyIn(manifest, rollup.id);
  if (before === key) {
    const intact = await intactEntry(engine, pipeline, rollup, period, key);
    return intact === undefined ? 'its ledger entry or an output is gone or damaged' : undefined;
  }
  if (before === undefined) return 'never ran';
  const steps = [{ step: rollup.id, key: before }];
  const entries =
    (await readEntries(engine.documents, pipeline, [{ scope: period, steps }])).get(period) ?? [];
  return whyRun(
    entries.find((entry) => entry.key === before),
    { version: rollup.version, params: rollup.params ?? {}, inputs },
  );
}
