import { randomInt } from 'node:crypto';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { Engine } from '../engine.ts';
import { newestManifests } from '../records/ledger-reader.ts';

/** `count` of the finished days, drawn at random, ascending; all of them when there are fewer. */
export async function drawDays(
  engine: Pick<Engine, 'documents'>,
  pipeline: string,
  dates: readonly CivilDate[],
  count: number,
): Promise<CivilDate[]> {
  const finished = [...(await newestManifests(engine.documents, pipeline, dates, [])).keys()];
  const drawn: CivilDate[] = [];
  while (drawn.length < count && finished.length > 0)
    drawn.push(...finished.splice(randomInt(finished.length), 1));
  return drawn.sort();
}
