import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { scopeOfObject } from '../../src/pipelines/garbage.ts';
import type { Manifest } from '../../src/pipelines/manifest.ts';
import type { CivilDate, Scope } from '../../src/pipelines/vocabulary.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import type { ObjectStore } from '../../src/ports/objects.ts';
import { changed } from './changed-store.ts';
import { PIPELINE } from './dataset.ts';
import { readObject } from './stores-of-process.ts';
import type { Stores } from './stores-of-process.ts';

const REPORT = new RegExp(`^published/${PIPELINE}_(\\d{4}-\\d{2}-\\d{2})\\.json$`);

const CONTENT_NAME = /\/[0-9a-f]{64}\.[a-z]+$/;

export interface Watcher {
  /**
   * A report of a day was replaced by one with a smaller figure: figures only grow, so it is an
   * older one.
   */
  onOlderShown(date: CivilDate, figure: number, shown: number): void;
  /** An artefact that the newest version of its day or period names was removed. */
  onNamedRemoved(key: string): void;
}

/**
 * The objects as the product reaches them, with a look at what it publishes and at what it removes.
 */
export function watchObjects({ objects, documents }: Stores, watcher: Watcher): ObjectStore {
  const shown = new Map<CivilDate, number>();
  return changed(objects, {
    async delete(key, options) {
      await objects.delete(key, options);
      const scope = CONTENT_NAME.test(key) ? scopeOfObject(key) : undefined;
      const newest = scope === undefined ? undefined : await newestOf(documents, scope);
      if (newest !== undefined && JSON.stringify(newest.steps).includes(`"${key}"`))
        watcher.onNamedRemoved(key);
    },
    async put(key, body, options) {
      const stored = await objects.put(key, body, options);
      const date = REPORT.exec(key)?.[1];
      const bytes = date === undefined ? undefined : await readObject(objects, key);
      if (date === undefined || bytes === undefined) return stored;
      const { figure } = (JSON.parse(bytes.toString()) as { metrics: { figure: number } }).metrics;
      const before = shown.get(date) ?? 0;
      if (figure < before) watcher.onOlderShown(date, figure, before);
      shown.set(date, figure);
      return stored;
    },
  });
}

/** Undefined where there is none that can be read. */
async function newestOf(documents: DocumentStore, scope: Scope): Promise<Manifest | undefined> {
  return (await newestManifests(documents, PIPELINE, [scope], [])).get(scope);
}
