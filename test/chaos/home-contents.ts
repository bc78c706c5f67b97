import { openAnnouncements } from '../../src/engine/publish/announcements.ts';
import { readManifests } from '../../src/engine/records/ledger-reader.ts';
import { proveObjects } from '../../src/engine/execute/proven-objects.ts';
import { publicationsOf } from '../../src/engine/publish/published.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import type { Manifest } from '../../src/pipelines/manifest.ts';
import { periodsOf } from '../../src/pipelines/period.ts';
import type { CivilDate, Scope } from '../../src/pipelines/vocabulary.ts';
import type { OpenEngine } from '../../src/workers/open-engine.ts';

/**
 * What the stores of a home hold of days and their periods, without anything that names a run or a
 * time.
 */
export interface HomeContents {
  /** Verdict, and the hashes by step of the newest version; by scope. */
  readonly newest: Readonly<Record<Scope, unknown>>;
  /** Name and hash of everything that users read, as the newest versions name it. */
  readonly published: Readonly<Record<string, string>>;
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** A page is made for days that run alone: whether a day did is a matter of chance. */
const BY_CHANCE = 'report/page';

/**
 * Which days of which pipeline, and the beginnings of the names under which users read what is made
 * of them.
 */
export interface AskedContents {
  readonly dataset: Dataset;
  readonly dates: readonly CivilDate[];
  readonly places: readonly string[];
}

/** What the stores of an engine hold of days and of the periods that they are in. */
export async function homeContents(
  engine: OpenEngine,
  { dataset, dates, places }: AskedContents,
): Promise<HomeContents> {
  const { definition } = dataset;
  const scopes = [...dates, ...definition.rollups.flatMap(({ grain }) => periodsOf(grain, dates))];
  const manifests = await readManifests(engine.documents, definition.name, scopes);
  const newest = [...manifests.values()].flatMap((versions) => versions.slice(-1));
  const named = newest.flatMap((manifest) => publicationsOf(definition, manifest));
  const published = Object.fromEntries(named.map(({ key, ref }) => [key, ref.sha256]));
  const open = await openAnnouncements(engine.documents, definition.name);
  return {
    newest: Object.fromEntries(newest.map((manifest) => [manifest.scope, contentOf(manifest)])),
    published,
    wrong: [
      ...[...manifests].flatMap(([scope, versions]) => wrongVersions(scope, versions)),
      ...(await wrongObjects(engine, newest)),
      ...(await wrongNames(engine, named, places)),
      ...open.map(({ scope, version }) => `version ${version} of ${scope} is still announced`),
    ],
  };
}

function contentOf({ verdict, steps }: Manifest): unknown {
  const kept = Object.entries(steps).filter(([step]) => step !== BY_CHANCE);
  return [
    verdict,
    kept.map(([step, state]) => [step, state.state === 'done' ? hashesOf(state.outputs) : state]),
  ];
}

function hashesOf(
  outputs: Readonly<Record<string, { readonly sha256: string }>>,
): readonly unknown[] {
  return Object.entries(outputs).map(([name, { sha256 }]) => [name, sha256]);
}

/** Versions are 1, 2, 3 and so on, and each says something new. */
function wrongVersions(scope: Scope, versions: readonly Manifest[]): string[] {
  const said = ({ verdict, steps, decisions }: Manifest): string =>
    JSON.stringify([
      verdict,
      Object.entries(steps)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([step, state]) => [
          step,
          state.state === 'done' ? [state.key, hashesOf(state.outputs)] : state,
        ]),
      decisions.length,
    ]);
  return versions.flatMap((manifest, place) => {
    const before = versions[place - 1];
    const gap =
      manifest.version === place + 1 ? [] : [`version ${place + 1} of ${scope} is missing`];
    const same = before !== undefined && said(before) === said(manifest);
    return [
      ...gap,
      ...(same
        ? [`versions ${before.version} and ${manifest.version} of ${scope} say the same`]
        : []),
    ];
  });
}

/** Whatever a newest version names is there, with its bytes. */
async function wrongObjects(
  { objects }: OpenEngine,
  newest: readonly Manifest[],
): Promise<string[]> {
  const proven = proveObjects(objects);
  const wrong: string[] = [];
  for (const { scope, steps } of newest) {
    const done = Object.values(steps).flatMap((state) =>
      state.state === 'done' ? Object.values(state.outputs) : [],
    );
    for (const ref of done) {
      const state = await proven.stateOf(ref);
      if (state !== 'intact') wrong.push(`${ref.key} of ${scope} is ${state}`);
    }
  }
  return wrong;
}

/** What users read is what the newest versions name, and nothing else is there. */
async function wrongNames(
  { objects }: OpenEngine,
  named: ReturnType<typeof publicationsOf>,
  places: readonly string[],
): Promise<string[]> {
  const proven = proveObjects(objects);
  const wrong: string[] = [];
  for (const { key, ref } of named) {
    const state = await proven.stateOf({ ...ref, key });
    if (state !== 'intact') wrong.push(`the published ${key} is ${state}`);
  }
  const known = new Set(named.map(({ key }) => key));
  for (const prefix of places) {
    for await (const { key } of objects.list(prefix))
      if (!known.has(key)) wrong.push(`${key} belongs to no version`);
  }
  return wrong;
}
