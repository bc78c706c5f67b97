import type {
  OutputDefinition,
  PartDefinition,
  RollupDefinition,
  StepDefinition,
  StepInput,
} from '../../pipelines/definition.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import { stageOf } from '../../pipelines/vocabulary.ts';
import type { Duration } from './durations.ts';
import { secondsOf } from './durations.ts';

/**
 * One input for each of the days before the day: `{from: 1, to: 30}` is yesterday and the 29 days
 * before it.
 */
export interface PreviousDaysInput {
  readonly name: string;
  readonly step: StepId;
  readonly output: string;
  readonly previousDays: { readonly from: number; readonly to: number };
  /**
   * The name of the input that is so many days earlier; it is part of step keys. Default:
   * `previousDayName`.
   */
  readonly nameOf?: (days: number) => string;
}

/** The default name of the input `name` of so many days before: `archives_3_days_before`. */
export function previousDayName(name: string, days: number): string {
  return `${name}_${days}_days_before`;
}

/** A step by what is special of it; everything else has a default. */
export interface StepSpec extends Partial<
  Omit<StepDefinition, 'id' | 'title' | 'inputs' | 'outputs' | 'timeoutSeconds'>
> {
  readonly id: StepId;
  readonly title: string;
  /** Default: none. */
  readonly inputs?: readonly (StepInput | PreviousDaysInput)[];
  readonly outputs: StepDefinition['outputs'];
  /** Longest run of one attempt over a full bulk window. Default: 10 minutes. */
  readonly timeout?: Duration;
}

const QUEUE_OF_STAGE = {
  download: 'fetch',
  transform: 'compute',
  metrics: 'compute',
  report: 'report',
} as const;

/**
 * A step with the defaults filled in: version 1, not required, ten minutes, the queue of its stage
 * (`download` → `fetch`, `report` → `report`, else `compute`), inputs of previous days written out.
 */
export function defineStep({
  inputs = [],
  timeout = '10 minutes',
  ...spec
}: StepSpec): StepDefinition {
  return {
    version: 1,
    queue: QUEUE_OF_STAGE[stageOf(spec.id)],
    required: false,
    ...spec,
    inputs: inputs.flatMap(writtenOut),
    timeoutSeconds: secondsOf(timeout),
  };
}

function writtenOut(input: StepInput | PreviousDaysInput): StepInput[] {
  if (!('previousDays' in input)) return [input];
  const {
    name,
    step,
    output,
    previousDays,
    nameOf = (days: number) => previousDayName(name, days),
  } = input;
  return Array.from({ length: previousDays.to - previousDays.from + 1 }, (_, index) => {
    const daysBefore = previousDays.from + index;
    return { name: nameOf(daysBefore), step, output, daysBefore, optional: true };
  });
}

/**
 * The download step of a part: `download/<part>`, whose one output `slice` is kept below `layer`.
 * Files that somebody gives us are cut by the SQL engine, so their queue is `compute`.
 */
export function downloadStep(
  part: PartDefinition,
  layer: string,
  spec: Partial<Omit<StepSpec, 'id' | 'part' | 'inputs'>> = {},
): StepDefinition {
  return defineStep({
    id: `download/${part.id}`,
    title: part.title,
    part: part.id,
    outputs: { slice: parquetFile(layer) },
    queue: part.source === 'http' ? 'fetch' : 'compute',
    ...spec,
  });
}

/** A rollup by what is special of it. */
export interface RollupSpec extends Partial<
  Omit<RollupDefinition, 'id' | 'grain' | 'timeoutSeconds'>
> {
  readonly id: StepId;
  readonly title: string;
  readonly grain: RollupDefinition['grain'];
  readonly inputs: RollupDefinition['inputs'];
  readonly outputs: RollupDefinition['outputs'];
  /** Default: 10 minutes. */
  readonly timeout?: Duration;
}

/** A rollup with the defaults filled in: version 1, queue `compute`, ten minutes. */
export function defineRollup({ timeout = '10 minutes', ...spec }: RollupSpec): RollupDefinition {
  return { version: 1, queue: 'compute', ...spec, timeoutSeconds: secondsOf(timeout) };
}

/** What an output may say besides its layer and its kind of file. */
export type OutputOptions = Partial<Omit<OutputDefinition, 'layer' | 'extension' | 'mediaType'>>;

function fileOf(
  extension: string,
  mediaType: string,
): (layer: string, options?: OutputOptions) => OutputDefinition {
  return (layer, options = {}) => ({ layer, extension, mediaType, ...options });
}

/** An output that is a Parquet table. */
export const parquetFile = fileOf('parquet', 'application/vnd.apache.parquet');
/** An output that is one JSON document. */
export const jsonFile = fileOf('json', 'application/json');
/** An output that is a JSON document a line. */
export const linesFile = fileOf('ndjson', 'application/x-ndjson');
/** An output that is a CSV table in UTF-8. */
export const csvFile = fileOf('csv', 'text/csv; charset=utf-8');
/** An output that is a page. */
export const htmlFile = fileOf('html', 'text/html; charset=utf-8');
