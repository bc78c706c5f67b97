import { readManifests, readReceipts } from '../../src/engine/records/ledger-reader.ts';
import type { LedgerEntry } from '../../src/pipelines/ledger.ts';
import { LEDGER_TABLE } from '../../src/pipelines/ledger.ts';
import { manifestKey } from '../../src/pipelines/manifest.ts';
import type { Manifest } from '../../src/pipelines/manifest.ts';
import { periodsOf } from '../../src/pipelines/period.ts';
import { dayOf } from '../../src/pipelines/receipt.ts';
import type { CivilDate, Scope } from '../../src/pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../src/ports/objects.ts';
import { PARTS, PIPELINE, expectedFiles, isOdd } from './dataset.ts';
import type { Figures } from './dataset.ts';
import { undecided } from './held-days.ts';
import type { Installation } from './installation.ts';
import { readObject } from './stores-of-process.ts';
import type { Stores } from './stores-of-process.ts';
import { hashOf } from './virtual-files.ts';

type Part = (typeof PARTS)[number];

/** What is wrong, by the promise that is broken. */
export interface Violation {
  readonly promise: Promised;
  readonly what: string;
}

/**
 * - gapless: versions of a scope are 1, 2, 3 and so on.
 * - said once: a new version says something new.
 * - never taken back: no version has older figures than one before it.
 * - never shown older: under no published name do older figures follow newer ones, not even for a
 *   moment.
 * - newest delivery: the newest version is made of what was delivered last.
 * - nothing missing: whatever a newest manifest names is in the primary store.
 * - nothing stale: periods, comparisons and published names are what the newest versions give.
 * - decided: no version has held data that nobody accepted.
 * - repairs: a repair leaves no row that cannot be read.
 * - moves whole: after a migration the target has what the source has.
 * - verify looks: what has a changed byte is not identical, and what has none is.
 * - everything ends: no run waits for ever, and what is open gets done.
 * - reconciles: what a host wrote while a store was away reaches the primary stores, without a
 *   person's help.
 * - no surprise: no workflow task fails, nothing throws what nobody expects.
 */
export type Promised =
  | 'gapless'
  | 'said once'
  | 'never taken back'
  | 'never shown older'
  | 'newest delivery'
  | 'nothing missing'
  | 'nothing stale'
  | 'decided'
  | 'repairs'
  | 'moves whole'
  | 'verify looks'
  | 'everything ends'
  | 'no surprise'
  | 'reconciles';

/**
 * What must hold of the primary stores when everything is quiet; each violation in words.
 * `delivered`: the newest versions are what was delivered last; `published`: they are what the
 * publishers have now, because everything was asked for again.
 */
export async function checkStores(
  installation: Installation,
  dates: readonly CivilDate[],
  wanted: 'delivered' | 'published',
): Promise<Violation[]> {
  const { primary, holds } = installation;
  const manifests = await readManifests(primary.documents, PIPELINE, [
    ...dates,
    ...periodsOf('month', dates),
    'all',
  ]);
  const figures = new Figured(primary, manifests);
  const newest = await newestFigures(figures, dates, manifests);
  const should =
    wanted === 'published'
      ? publishedFigures(installation)
      : await deliveredFigures(primary, figures, dates);
  const found: Readonly<Partial<Record<Promised, readonly string[]>>> = {
    gapless: gaps(manifests, installation.setAside),
    'said once': repeated(manifests),
    'never taken back': await figures.lost(installation.forgiven),
    decided: holds ? await figures.undecided() : [],
    'newest delivery': differences(newest, should, wanted),
    'nothing missing': await missing(primary, manifests),
    'nothing stale': await misread(primary, newest),
  };
  return (Object.entries(found) as [Promised, string[]][]).flatMap(([promise, all]) =>
    all.map((what) => ({ promise, what })),
  );
}

/** Versions of a scope are 1, 2, 3 and so on, but for those that were set aside by a repair. */
function gaps(
  manifests: ReadonlyMap<Scope, readonly Manifest[]>,
  setAside: ReadonlySet<string>,
): string[] {
  return [...manifests].flatMap(([scope, all]) => {
    const versions = all.map(({ version }) => version);
    const wanted = Array.from({ length: versions.at(-1) ?? 0 }, (_, place) => place + 1);
    const absent = wanted.filter((version) => !versions.includes(version));
    const isWhole = absent.every((version) =>
      setAside.has(manifestKey(PIPELINE, scope, version).sort),
    );
    return isWhole ? [] : [`${scope} has the versions ${versions.join(', ')}`];
  });
}

/** A new version says something new. */
function repeated(manifests: ReadonlyMap<Scope, readonly Manifest[]>): string[] {
  const said = ({ verdict, steps, decisions }: Manifest): string => {
    const keys = Object.entries(steps).map(([step, state]) => [
      step,
      state.state === 'done' ? [state.key, state.kept ?? null] : state,
    ]);
    return JSON.stringify([verdict, keys, decisions.length]);
  };
  return [...manifests].flatMap(([scope, versions]) =>
    versions.flatMap((manifest, place) => {
      const before = versions[place - 1];
      return before?.version === manifest.version - 1 && said(before) === said(manifest)
        ? [`versions ${before.version} and ${manifest.version} of ${scope} say the same`]
        : [];
    }),
  );
}

/** Reads figures out of stored slices. */
class Figured {
  readonly #primary: Stores;
  readonly #manifests: ReadonlyMap<Scope, readonly Manifest[]>;

  constructor(primary: Stores, manifests: ReadonlyMap<Scope, readonly Manifest[]>) {
    this.#primary = primary;
    this.#manifests = manifests;
  }

  async ofSlice(ref: ArtefactRef | undefined): Promise<number | null> {
    const bytes = ref === undefined ? undefined : await readObject(this.#primary.objects, ref.key);
    return bytes === undefined
      ? null
      : (JSON.parse(Buffer.from(bytes).toString()) as { figure: number }).figure;
  }

  ofManifest(manifest: Manifest | undefined, part: Part): Promise<number | null> {
    const state = manifest?.steps[`download/${part}`];
    return this.ofSlice(state?.state === 'done' ? state.outputs['slice'] : undefined);
  }

  /** Odd data of which a version was made without anybody's word. */
  async undecided(): Promise<string[]> {
    const violations: string[] = [];
    for (const manifest of [...this.#manifests.values()].flat()) {
      if (isOdd(await this.ofManifest(manifest, 'counts')))
        violations.push(undecided(manifest) ?? '');
    }
    return violations.filter((what) => what !== '');
  }

  /** No version takes back what an earlier one had: figures of a publisher only grow. */
  async lost(forgiven: ReadonlySet<Scope>): Promise<string[]> {
    const violations: string[] = [];
    for (const [scope, versions] of this.#manifests) {
      if (forgiven.has(scope)) continue;
      for (const part of PARTS) {
        let most: number | null = null;
        for (const manifest of versions) {
          const figure = await this.ofManifest(manifest, part);
          if (most !== null && (figure ?? 0) < most) {
            violations.push(
              `version ${manifest.version} of ${scope} has ${part} ${String(figure)} after ${most}`,
            );
          }
          if (figure !== null && figure > (most ?? 0)) most = figure;
        }
      }
    }
    return violations;
  }
}

async function newestFigures(
  figures: Figured,
  dates: readonly CivilDate[],
  manifests: ReadonlyMap<Scope, readonly Manifest[]>,
): Promise<Map<CivilDate, Figures>> {
  const found = new Map<CivilDate, Figures>();
  for (const date of dates) {
    const manifest = manifests.get(date)?.at(-1);
    if (manifest === undefined) continue;
    found.set(date, {
      counts: await figures.ofManifest(manifest, 'counts'),
      forecast: await figures.ofManifest(manifest, 'forecast'),
    });
  }
  return found;
}

function publishedFigures({ publishers }: Installation): Map<CivilDate, Figures> {
  const found = new Map<CivilDate, Figures>();
  for (const date of publishers['counts']?.figures.keys() ?? []) {
    const of = (part: Part) => publishers[part]?.figures.get(date) ?? null;
    found.set(date, { counts: of('counts'), forecast: of('forecast') });
  }
  return found;
}

/**
 * What was delivered last for each day, in the order that the store gave: of two answers that were
 * asked for at the same time either may be the last. Answers without a number are taken by their
 * figures, which only grow.
 */
async function deliveredFigures(
  primary: Stores,
  figures: Figured,
  dates: readonly CivilDate[],
): Promise<Map<CivilDate, Figures>> {
  const found = new Map<CivilDate, Record<Part, number | null>>();
  const slices = await slicesByKey(primary);
  const range = { first: dates[0] ?? '', last: dates.at(-1) ?? '' };
  for (const part of PARTS) {
    const receipts = await readReceipts(
      primary.documents,
      PIPELINE,
      { id: part, bulkWindow: 'month' },
      range,
    );
    for (const date of dates) {
      const answers: { readonly sequence: number; readonly figure: number | null }[] = [];
      for (const receipt of receipts) {
        const day = dayOf(receipt, date);
        if (day === undefined) continue;
        const figure = await figures.ofSlice(slices.get(`${date}/download/${part}/${day.key}`));
        answers.push({ sequence: receipt.sequence ?? 0, figure });
      }
      answers.sort((a, b) => a.sequence - b.sequence || (a.figure ?? 0) - (b.figure ?? 0));
      const last = answers.at(-1);
      if (last !== undefined)
        found.set(date, { counts: null, forecast: null, ...found.get(date), [part]: last.figure });
    }
  }
  return found;
}

async function slicesByKey({ documents }: Stores): Promise<Map<string, ArtefactRef>> {
  const slices = new Map<string, ArtefactRef>();
  for await (const partition of documents.partitions(LEDGER_TABLE)) {
    for await (const { body } of documents.query<LedgerEntry>({ table: LEDGER_TABLE, partition })) {
      const slice = body.outputs['slice'];
      if (slice !== undefined) slices.set(`${body.scope}/${body.step}/${body.key}`, slice);
    }
  }
  return slices;
}

function differences(
  newest: ReadonlyMap<CivilDate, Figures>,
  should: ReadonlyMap<CivilDate, Figures>,
  wanted: string,
): string[] {
  return [...should].flatMap(([date, figures]) =>
    JSON.stringify(newest.get(date)) === JSON.stringify(figures)
      ? []
      : [
          `${date} is made of ${JSON.stringify(newest.get(date))}, ${wanted} is ${JSON.stringify(figures)}`,
        ],
  );
}

/** Whatever a newest manifest names is there, with the bytes that it says. */
async function missing(
  { objects }: Stores,
  manifests: ReadonlyMap<Scope, readonly Manifest[]>,
): Promise<string[]> {
  const violations: string[] = [];
  for (const [scope, versions] of manifests) {
    for (const [step, state] of Object.entries(versions.at(-1)?.steps ?? {})) {
      if (state.state !== 'done') continue;
      for (const { key, sha256 } of Object.values(state.outputs)) {
        const bytes = await readObject(objects, key);
        if (bytes === undefined) violations.push(`${key} of ${step} of ${scope} is missing`);
        else if (hashOf(bytes) !== sha256)
          violations.push(`${key} of ${step} of ${scope} has other bytes`);
      }
    }
  }
  return violations;
}

/**
 * Users read under each name what the newest figures give, and programs the same from the records.
 */
async function misread(
  { objects }: Stores,
  newest: ReadonlyMap<CivilDate, Figures>,
): Promise<string[]> {
  const violations: string[] = [];
  for (const [key, text] of expectedFiles(newest)) {
    const bytes = await readObject(objects, key);
    const found = bytes === undefined ? 'nothing' : Buffer.from(bytes).toString();
    if (found !== text)
      violations.push(`${key} reads ${found.trim()}, its days give ${text.trim()}`);
  }
  return violations;
}
