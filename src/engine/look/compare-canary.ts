import type { VersionDiff } from '../../pipelines/version-diff.ts';
import { compareVersions } from './compare-versions.ts';
import type { CanaryDay, CanaryDifference } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { newestManifests, readManifests } from '../records/ledger-reader.ts';

/** The newest versions of days, before anything is done to them. */
export async function canaryDays(
  engine: Engine,
  pipeline: string,
  dates: readonly string[],
): Promise<CanaryDay[]> {
  datasetOf(engine, pipeline);
  const manifests = await newestManifests(engine.documents, pipeline, dates);
  return dates.map((date) => ({ date, before: manifests.get(date)?.version ?? 0 }));
}

/** How much the newest versions of the days differ from those before. */
export async function compareCanary(
  engine: Engine,
  { signal }: Pick<StepControl, 'signal'>,
  pipeline: string,
  days: readonly CanaryDay[],
): Promise<CanaryDifference[]> {
  const versions = await readManifests(
    engine.documents,
    pipeline,
    days.map(({ date }) => date),
  );
  // A canary's day is a single day: it makes what a range leaves out, which says nothing of what
  // the range will make.
  const { steps: defined } = datasetOf(engine, pipeline).definition;
  const alone = new Set(
    defined.filter(({ singleDaysOnly }) => singleDaysOnly === true).map(({ id }) => id),
  );
  const differences: CanaryDifference[] = [];
  for (const { date, before } of days) {
    const [now, then] = [
      versions.get(date)?.at(-1),
      versions.get(date)?.find(({ version }) => version === before),
    ];
    if (now === undefined) continue;
    if (then === undefined)
      differences.push({ date, from: null, to: now.version, steps: [], share: 0 });
    else if (then.version === now.version) {
      differences.push({ date, from: then.version, to: now.version, steps: [], share: 0 });
    } else {
      const made = await compareVersions(engine, then, now, signal);
      const diff = { ...made, steps: made.steps.filter(({ step }) => !alone.has(step)) };
      const steps = diff.steps.filter(({ outputs }) => outputs.length > 0).map(({ step }) => step);
      differences.push({ date, from: then.version, to: now.version, steps, share: shareOf(diff) });
    }
  }
  return differences;
}

/** Tables are counted by rows; anything else that differs counts as one row of one. */
function shareOf({ steps }: VersionDiff): number {
  const sum = { rows: 0, different: 0 };
  for (const { content } of steps.flatMap(({ outputs }) => outputs)) {
    if (content.kind === 'table') {
      sum.rows += Math.max(content.rowsBefore, content.rowsAfter);
      sum.different += content.added + content.removed + content.changed;
    } else {
      sum.rows += 1;
      sum.different += 1;
    }
  }
  return sum.rows === 0 ? 0 : Math.min(1, sum.different / sum.rows);
}
