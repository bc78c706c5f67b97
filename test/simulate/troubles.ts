import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { damagedRow, repair } from './damaged-rows.ts';
import { decision } from './held-days.ts';
import { importOfFile } from './imports.ts';
import { migration } from './migrations.ts';
import { collectionsInOutage } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Random } from './random.ts';

/**
 * What happens in some stories only. It is drawn apart from the operations, so that a story without
 * it is what it was.
 */

const TROUBLES = {
  row: damagedRow,
  repair,
  import: importOfFile,
  decision,
  migration,
  collections: collectionsInOutage,
} as const;

export type Trouble = keyof typeof TROUBLES;

const NAMES = Object.keys(TROUBLES) as Trouble[];

/** Where the stores are on a disk, nothing is away from one host alone. */
const REMOTE_ONLY: readonly Trouble[] = ['collections'];

/** Of stories for which no kind is asked. */
const TROUBLED_PART = 0.5;

/** At the beginning there is little that anything can happen to. */
const LATER_MS = [0, 500, 3_000, 20_000, 3_600_000] as const;

interface Drawn {
  readonly remote: boolean;
  readonly only?: readonly string[] | undefined;
  /** When the last operation comes, in milliseconds. */
  readonly untilMs: number;
}

export function drawTroubles(
  random: Random,
  dates: readonly CivilDate[],
  { remote, only, untilMs }: Drawn,
): Operation[] {
  const names = NAMES.filter(
    (name) => only?.includes(name) !== false && (remote || !REMOTE_ONLY.includes(name)),
  );
  const troubled = random.chance(TROUBLED_PART) && !remote;
  if (names.length === 0 || (only === undefined && !troubled)) return [];
  return Array.from({ length: random.whole(1, 3) }, () => {
    const draw = TROUBLES[random.pick(names)];
    const afterMs = random.whole(0, untilMs) + random.pick(LATER_MS);
    return { ...draw(random, dates), afterMs };
  });
}
