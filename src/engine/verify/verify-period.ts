import type { RollupDefinition } from '../../pipelines/definition.ts';
import { scopesRead, spanAt, statesRead } from '../../pipelines/period-graph.ts';
import type { Span } from '../../pipelines/period-graph.ts';
import type { Rebuilt, Verification } from '../../pipelines/verification.ts';
import { verificationKey } from '../../pipelines/verification.ts';
import type { Period, StepId } from '../../pipelines/vocabulary.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { newestManifests, readLedger } from '../records/ledger-reader.ts';
import { proveObjects } from '../execute/proven-objects.ts';
import { rebuildStep } from './rebuild-steps.ts';
import type { Rebuild } from './rebuild-steps.ts';
import { onRecords } from './proven-records.ts';
import { entryOf, verifyManifest } from './verify-manifest.ts';

/**
 * Rebuilds the tables of a month, a year or the whole history from exactly the days, months and
 * years that they were made of, and compares every byte, as `verifyDays` does for days. Undefined
 * when the period has no tables yet.
 */
export async function verifyPeriod(
  stores: Engine,
  control: Pick<StepControl, 'signal' | 'progress'>,
  pipeline: string,
  period: Period,
): Promise<Verification | undefined> {
  const dataset = datasetOf(stores, pipeline);
  const { engine, check } = await onRecords(stores);
  const manifest = (await newestManifests(engine.documents, pipeline, [period])).get(period);
  if (manifest === undefined) {
    await check();
    return undefined;
  }
  const { definition } = dataset;
  const rollups = definition.rollups.filter(({ id }) => manifest.steps[id]?.state === 'done');
  const span = spanAt(definition, engine.now());
  const read = rollups.flatMap(({ inputs }) =>
    inputs.flatMap((input) =>
      input.asOf?.pipeline === undefined ? scopesRead(input, period, span) : [],
    ),
  );
  const ledger = await readLedger(engine.documents, pipeline, [...new Set([period, ...read])]);
  const others = await ledgerOfOthers(engine, rollups, period, span);
  const rebuild: Rebuild = {
    engine,
    objects: proveObjects(engine.objects),
    control,
    dataset,
    ledger,
    others,
  };
  const rebuilt = new Map<StepId, Rebuilt>();
  for (const rollup of rollups) {
    const entry = entryOf(rebuild, period, rollup.id, manifest.steps[rollup.id]);
    if (entry?.version !== rollup.version) continue;
    for (const one of (await rebuildStep(rebuild, rollup, [entry])).values())
      rebuilt.set(rollup.id, one);
  }
  const verification = await verifyManifest(rebuild, manifest, definition.rollups, (step) =>
    rebuilt.get(step),
  );
  await check();
  await engine.documents.put(
    verificationKey(pipeline, period, verification.verifiedAt),
    verification,
  );
  return verification;
}

/** The entries of other pipelines whose state the period may have read, by pipeline. */
async function ledgerOfOthers(
  { documents }: Engine,
  rollups: readonly RollupDefinition[],
  period: Period,
  span: Span,
): Promise<NonNullable<Rebuild['others']>> {
  const others = new Map<string, Rebuild['ledger']>();
  for (const rollup of rollups) {
    for (const [pipeline, scopes] of statesRead(rollup, period, span)) {
      const read = await readLedger(documents, pipeline, [...new Set(scopes)]);
      others.set(pipeline, new Map([...(others.get(pipeline) ?? []), ...read]));
    }
  }
  return others;
}
