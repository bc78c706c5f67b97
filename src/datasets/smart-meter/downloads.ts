import type { OutputDefinition, PartDefinition, StepDefinition, StepInput } from '../kit/index.ts';
import { MODEL_PART } from './anomalies/model-file.ts';
import { DAYS_OF_METERS, FILES, HALF_HOURS, parquet, PERSONAL } from './outputs.ts';
import { SIDE_PARTS } from './side/parts.ts';
import { HOUR } from './step-parts.ts';

/** What is asked for or given: the parts of a day, and the downloads that cut them. */

const DAY_MINUTES = 1_440;

const READINGS = ['readings', 'head-end'];
/** Lists that tell of single meters. */
const OF_METERS = ['meters', 'registers', 'billed'];

const FRESH_UNTIL_IMPORT = {
  empty: null,
  provisional: null,
  consolidated: null,
  definitive: null,
} as const;
/** What comes late comes within days, what is corrected within weeks. */
const FRESH_FOR_MINUTES = {
  empty: 60,
  provisional: DAY_MINUTES,
  consolidated: 7 * DAY_MINUTES,
  definitive: null,
} as const;

/** All parts, readings first. */
export const PARTS: readonly PartDefinition[] = [
  {
    id: 'readings',
    title: 'Readings that somebody gave us, in any dialect',
    source: 'import',
    bulkWindow: 'month',
    importWindow: 'all',
    // Any file may bring any day of any meter.
    addsUp: true,
    joinedAs: 'parquet',
    expectedAfter: {},
    freshForMinutes: FRESH_UNTIL_IMPORT,
    columns: PERSONAL,
    rawRetention: FILES,
  },
  {
    id: 'head-end',
    title: 'Readings of a head-end',
    source: 'http',
    bulkWindow: 'month',
    // A meter's day arrives at about eight in the morning after it.
    expectedAfter: { minutes: 8 * 60 },
    freshForMinutes: FRESH_FOR_MINUTES,
    columns: PERSONAL,
    rawRetention: FILES,
  },
  ...SIDE_PARTS.map(({ id, title, isOverHttp, holds }): PartDefinition => ({
    id,
    title,
    source: isOverHttp ? 'http' : 'import',
    bulkWindow: 'month',
    importWindow: 'all',
    expectedAfter: holds === 'validity' ? {} : { minutes: 8 * 60 },
    freshForMinutes: isOverHttp ? FRESH_FOR_MINUTES : FRESH_UNTIL_IMPORT,
    columns: PERSONAL,
    ...(OF_METERS.includes(id) ? { rawRetention: FILES } : {}),
  })),
  {
    id: MODEL_PART,
    title: 'Trained models, each of the day from which it is meant to hold',
    source: 'import',
    bulkWindow: 'month',
    importWindow: 'all',
    expectedAfter: {},
    freshForMinutes: FRESH_UNTIL_IMPORT,
  },
];

/** Lists that hold until the next one: thousands of days have the same bytes. */
const HOLDING = SIDE_PARTS.filter(({ holds }) => holds === 'validity').map(({ id }) => id);

const ONE_OF_KEY = SIDE_PARTS.filter(
  ({ holds }) => holds === 'validity' || holds === 'instant',
).map(({ id }) => id);

function keptFor(part: string): Pick<OutputDefinition, 'retention'> {
  if (OF_METERS.includes(part)) return { retention: DAYS_OF_METERS };
  return READINGS.includes(part) ? { retention: HALF_HOURS } : {};
}

/**
 * Slices of readings kept what was published of every row before; those of other lists had all rows
 * of a key.
 */
function versionOf(part: string): number {
  if (READINGS.includes(part)) return 3;
  return ONE_OF_KEY.includes(part) ? 2 : 1;
}

/** One step for each part. */
export const DOWNLOADS: readonly StepDefinition[] = PARTS.map(({ id, title, source }) => ({
  id: `download/${id}`,
  version: versionOf(id),
  title,
  part: id,
  inputs: [],
  outputs: {
    slice: parquet(`slices/smart-meter/${id}`, {
      sharedByDays: HOLDING.includes(id),
      ...keptFor(id),
    }),
  },
  queue: source === 'http' ? 'fetch' : 'compute',
  timeoutSeconds: HOUR,
  required: false,
}));

/** A part of the day itself, which may be missing. */
export function slice(name: string, part = name): StepInput {
  return { name, step: `download/${part}`, output: 'slice', optional: true };
}
