import path from 'node:path';
import { required } from '../../given.ts';
import type { NamedDay } from '../../pipelines/source-declaration.ts';
import type { FetchedFile } from '../../ports/source.ts';
import type { Staged } from '../content-store.ts';
import { dataKey } from '../sources/data-keys.ts';
import { sealFile } from '../sources/sealed-file.ts';
import type { Download } from './cut-slices.ts';
import { noteOwnFile } from './deposit-notes.ts';
import { monthOfDelivery } from './open-raw.ts';
import { keepByName } from './raw-names.ts';

/** How files of parts that declare `decoding` are kept. */
export const SEALED = { extension: 'sealed', mediaType: 'application/x-ndjson' };

/** A file that is a piece of a day, and the name that other programs know it by. */
export interface DeliveredPiece {
  readonly name: string;
  readonly day: NamedDay;
  readonly mediaType: string;
  /** What its deliverer called it. */
  readonly calledBefore: string;
  readonly fetched: FetchedFile;
}

/** Keeps a piece of a day under its name, sealed where its part declares `decoding`. */
export async function keepDelivered(
  { engine, dataset: { definition } }: Pick<Download, 'engine' | 'dataset'>,
  { name, day, mediaType, calledBefore, fetched }: DeliveredPiece,
): Promise<void> {
  const part = definition.parts.find(({ id }) => id === day.part);
  const keep = async (file: Staged, type: string): Promise<void> =>
    noteOwnFile(engine, definition.name, await keepByName(engine.objects, name, file, type));
  if (required(part, `the part ${day.part}`).decoding === undefined)
    return keep(fetched, mediaType);
  const key = await dataKey(engine, definition.name, monthOfDelivery(day.date));
  await engine.withScratchFolder(async (scratch) => {
    const sealed = await sealFile(
      key,
      { ...fetched, name: calledBefore },
      path.join(scratch, 'sealed'),
    );
    await keep(sealed, SEALED.mediaType);
  });
}
