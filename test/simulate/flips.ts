import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../src/engine/verify/verify-period.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { publicationsOf } from '../../src/engine/publish/published.ts';
import { periodsOf } from '../../src/pipelines/period.ts';
import { isPeriod } from '../../src/pipelines/scope.ts';
import type { Manifest } from '../../src/pipelines/manifest.ts';
import type { VerificationResult } from '../../src/pipelines/verification.ts';
import type { CivilDate, Scope } from '../../src/pipelines/vocabulary.ts';
import { PIPELINE } from './dataset.ts';
import type { Installation } from './installation.ts';
import type { Random } from './random.ts';
import { readObject } from './stores-of-process.ts';

/** An object of the newest version of a day or period, of which a byte is to be changed. */
export interface Flip {
  readonly scope: Scope;
  readonly key: string;
}

/** Any artefact, raw file or published name of a day or period that was made. */
export async function drawFlip(
  { primary, dataset }: Installation,
  random: Random,
  dates: readonly CivilDate[],
): Promise<Flip | undefined> {
  const scopes = [...dates, ...periodsOf('month', dates), 'all'];
  const manifests = await newestManifests(primary.documents, PIPELINE, scopes);
  if (manifests.size === 0) return undefined;
  const manifest = random.pick([...manifests.values()]);
  const keys = [
    ...namedBy(manifest),
    ...publicationsOf(dataset.definition, manifest).map(({ key }) => key),
  ];
  return { scope: manifest.scope, key: random.pick(keys) };
}

function namedBy({ steps }: Manifest): string[] {
  return Object.values(steps).flatMap((state) =>
    state.state === 'done' ? Object.values(state.outputs).map(({ key }) => key) : [],
  );
}

/** Changes the last byte of an object; returns what takes the change back. */
export async function flip(
  { primary: { objects } }: Installation,
  key: string,
): Promise<() => Promise<unknown>> {
  const right = (await readObject(objects, key)) ?? Buffer.of();
  const wrong = Buffer.from(right);
  wrong[wrong.length - 1] = 32;
  const put = (bytes: Uint8Array) =>
    objects.put(key, bytes, { mode: 'replace', mediaType: 'application/json' });
  await put(wrong);
  return () => put(right);
}

/**
 * What `quotidien verify` says of a day or period, asked on one of the hosts; undefined when there
 * is nothing to verify.
 */
export async function verified(
  installation: Installation,
  random: Random,
  scope: Scope,
): Promise<VerificationResult | undefined> {
  const { engine } = await installation.command(random.pick(installation.hosts), 'verify');
  const control = { signal: new AbortController().signal, progress: () => undefined };
  if (isPeriod(scope)) return (await verifyPeriod(engine, control, PIPELINE, scope))?.result;
  return (await verifyDays(engine, control, { pipeline: PIPELINE, dates: [scope] })).days[0]
    ?.result;
}
