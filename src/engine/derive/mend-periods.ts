import { errorCodeOf } from '../../errors.ts';
import { datesBetween } from '../../pipelines/civil-date.ts';
import type { FetchWindow } from '../../pipelines/source-declaration.ts';
import type { PipelineDefinition, RollupDefinition } from '../../pipelines/definition.ts';
import { periodsOf } from '../../pipelines/period.ts';
import type { CivilDate, Period } from '../../pipelines/vocabulary.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { announceAgain } from '../publish/announcements.ts';
import { publishNewest, unpublishedScopes } from '../publish/publish-versions.ts';
import { lastVersions, newestManifests } from '../records/ledger-reader.ts';
import { whyOutdated } from './stale-periods.ts';

const PERIODS_AT_ONCE = 8;

/**
 * Has the periods with days of this span be what their days give now. Of one that is to be made
 * again a day is announced, so that the rollup makes it: its table was lost or damaged, or the row
 * of its newest version was lost, of which nothing else tells. The published table of any other
 * shows its newest version; one that is right costs a look.
 */
export async function mendPeriods(
  engine: Engine,
  pipeline: string,
  { from, to }: FetchWindow,
): Promise<void> {
  const { definition } = datasetOf(engine, pipeline);
  const dates = datesBetween(from, to);
  const periods = definition.rollups.flatMap((rollup) =>
    periodsOf(rollup.grain, dates).map((period) => ({ rollup, period })),
  );
  await mapConcurrent(periods, PERIODS_AT_ONCE, async ({ rollup, period }) => {
    try {
      if (await isOutdated(engine, definition, rollup, period)) {
        // What is published now may be right; what an older version has is not.
        const within = dates.filter((date) => periodsOf(rollup.grain, [date]).includes(period));
        await announceOneOf(engine, pipeline, within);
      } else await publishPeriod(engine, definition, period);
    } catch (error) {
      // The table itself, or what tells of it, is damaged: that keeps no day from being made.
      if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    }
  });
}

/** False while a store is away: what this host remembers of the days may be less than there is. */
async function isOutdated(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<boolean> {
  try {
    const why = await whyOutdated(engine, definition, rollup, period);
    return why !== undefined && engine.fallback?.away() === undefined;
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    return false;
  }
}

async function publishPeriod(
  engine: Engine,
  definition: PipelineDefinition,
  period: Period,
): Promise<void> {
  const versions = await lastVersions(engine.documents, definition.name, [period]);
  const behind = await unpublishedScopes(engine, definition, [...versions.values()]);
  if (behind.size > 0) await publishNewest(engine, definition, [period]);
}

async function announceOneOf(
  { documents }: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<void> {
  const [made] = [...(await newestManifests(documents, pipeline, dates)).keys()].sort();
  if (made !== undefined) await announceAgain(documents, pipeline, [made]);
}
