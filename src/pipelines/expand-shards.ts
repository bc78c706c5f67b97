import { definedMembers } from '../given.ts';
import type {
  OutputDefinition,
  PipelineDefinition,
  RollupInput,
  StepDefinition,
  StepInput,
} from './definition.ts';
import { isOfPreviousDays } from './lookback.ts';
import { MAX_SHARDS, shardName, shardsOf, shardText, splitShard } from './shard.ts';
import type { Shard } from './shard.ts';

/**
 * A step that declares `shards` is that many steps of its day, each with a name, a key, a ledger
 * entry and retries of its own. They are written out once, when a pipeline is defined; planner,
 * executor and verifier know steps alone. Pure.
 *
 * - A shard reads the same shard of what is cut or made in shards, and all of what is not.
 * - A step without shards that reads a step with shards gathers: it has one input per shard,
 *   ascending, under `<name>.07-of-16`, and its code sees them as one list under `<name>`.
 */

/** How many shards the outputs of each step or part come in; absent: they are whole. */
type Sharded = ReadonlyMap<string, number>;

/** The definition with its shards written out; one that has none comes back as it is. */
export function expandShards(definition: PipelineDefinition): PipelineDefinition {
  const { steps, rollups } = definition;
  const sharded = shardedSteps(definition);
  const isWrittenOut = steps.some(({ outputs }) =>
    Object.keys(outputs).some((name) => splitShard(name).shard !== undefined),
  );
  if (sharded.size === 0 || isWrittenOut) return definition;
  return {
    ...definition,
    steps: steps.flatMap((step) => expandStep(step, sharded)),
    rollups: rollups.map((rollup) => ({
      ...rollup,
      inputs: rollup.inputs.flatMap((input) => gather(input, sharded, steps)),
    })),
  };
}

function shardedSteps({ steps, parts }: PipelineDefinition): Sharded {
  const counts = steps.flatMap(({ id, shards, part }): [string, number][] => {
    const of = shards ?? parts.find((candidate) => candidate.id === part)?.shards?.of;
    return of === undefined ? [] : [[id, of]];
  });
  return new Map(counts);
}

function expandStep(step: StepDefinition, sharded: Sharded): StepDefinition[] {
  const of = sharded.get(step.id);
  const plain = withoutShards(step);
  if (step.part !== undefined) {
    return [of === undefined ? plain : { ...plain, outputs: sliceOutputs(plain.outputs, of) }];
  }
  if (of === undefined) return [gathering(plain, sharded)];
  return shardsOf(of).map((shard) => ({
    ...plain,
    id: shardName(plain.id, shard),
    shard,
    outputs: mapValues(plain.outputs, (output) => ofShard(output, shard)),
    inputs: plain.inputs.map((input) =>
      isSharded(input, sharded) ? sameShard(input, shard) : input,
    ),
  }));
}

function withoutShards(step: StepDefinition): StepDefinition {
  const members = Object.entries(step).filter(([name]) => name !== 'shards');
  return Object.fromEntries(members) as unknown as StepDefinition;
}

/** A download stays one step: its file is fetched once, and each of its slices comes in shards. */
function sliceOutputs(outputs: StepDefinition['outputs'], of: number): StepDefinition['outputs'] {
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, output]) =>
      shardsOf(of).map((shard) => [shardName(name, shard), ofShard(output, shard)]),
    ),
  );
}

function ofShard(output: OutputDefinition, shard: Shard): OutputDefinition {
  const { layer, publishAs } = output;
  const named = definedMembers({ publishAs: publishAs?.replaceAll('{shard}', shardText(shard)) });
  return { ...output, layer: `${layer}/shard=${shardText(shard)}`, ...named };
}

function sameShard(input: StepInput, shard: Shard): StepInput {
  return input.step.startsWith('download/')
    ? { ...input, output: shardName(input.output, shard) }
    : { ...input, step: shardName(input.step, shard) };
}

/** Another pipeline's step may have the name of one of ours. */
function isSharded({ step, asOf }: StepInput, sharded: Sharded): boolean {
  return asOf?.pipeline === undefined && sharded.has(step);
}

/** A gathered input is there when any of its shards is. */
function gathering(step: StepDefinition, sharded: Sharded): StepDefinition {
  const gathered = step.inputs.filter((input) => isSharded(input, sharded));
  if (gathered.length === 0) return step;
  const names = (name: string): string[] => {
    const input = gathered.find((candidate) => candidate.name === name);
    const of = input === undefined ? undefined : sharded.get(input.step);
    return of === undefined ? [name] : shardsOf(of).map((shard) => shardName(name, shard));
  };
  const needed = gathered.filter((input) => input.optional !== true && !isOfPreviousDays(input));
  return {
    ...step,
    inputs: step.inputs.flatMap((input) => {
      const of = isSharded(input, sharded) ? sharded.get(input.step) : undefined;
      if (of === undefined) return [input];
      return shardsOf(of).map((shard) => ({
        ...sameShard(input, shard),
        name: shardName(input.name, shard),
        optional: true,
      }));
    }),
    ...(needed.length === 0 ? {} : { gathers: needed.map(({ name }) => names(name)) }),
    ...definedMembers({ needsAnyOf: step.needsAnyOf?.flatMap(names) }),
  };
}

function gather(
  input: RollupInput,
  sharded: Sharded,
  steps: readonly StepDefinition[],
): RollupInput[] {
  const of = input.asOf?.pipeline === undefined ? sharded.get(input.step) : undefined;
  if (of === undefined) return [input];
  const isPart = steps.some(({ id, part }) => id === input.step && part !== undefined);
  return shardsOf(of).map((shard) => ({
    ...input,
    name: shardName(input.name, shard),
    ...(isPart
      ? { output: shardName(input.output, shard) }
      : { step: shardName(input.step, shard) }),
  }));
}

/** What is wrong with the shards that a definition declares, before they are written out. */
export function shardProblems({ steps, parts }: PipelineDefinition): string[] {
  const counts = [
    ...steps.map(({ id, shards }) => ({ id, of: shards })),
    ...parts.map(({ id, shards }) => ({ id, of: shards?.of })),
  ];
  const wrong = counts.flatMap(({ id, of }) =>
    of === undefined || (Number.isInteger(of) && of >= 2 && of <= MAX_SHARDS)
      ? []
      : [`${id} comes in ${of} shards; from 2 to ${MAX_SHARDS} are possible`],
  );
  const countOf = (id: string): number | undefined => {
    const step = steps.find((candidate) => candidate.id === id);
    return step?.shards ?? parts.find((part) => part.id === step?.part)?.shards?.of;
  };
  const shared = steps.flatMap((step) => {
    const { id, shards, part, inputs, outputs } = step;
    if (shards === undefined) return [];
    const other = inputs.filter((input) => (countOf(input.step) ?? shards) !== shards);
    const names = Object.entries(outputs).filter(
      ([, output]) => output.publishAs?.includes('{shard}') === false,
    );
    const records = Object.entries(outputs).filter(([, { recordAs }]) => recordAs !== undefined);
    return [
      ...(part === undefined
        ? []
        : [`${id} fetches a part, which says itself in how many shards it is cut`]),
      ...other.map(
        (input) => `${id} comes in ${shards} shards and reads ${input.step}, which comes in others`,
      ),
      ...names.map(([name]) => `${id}:${name} is published without {shard} in its name`),
      ...records.map(([name]) => `${id}:${name} is a record, and comes in shards`),
    ];
  });
  const measures = parts.flatMap(({ id, completeness }) =>
    completeness !== undefined && countOf(completeness.step) !== undefined
      ? [
          `${completeness.step} tells how whole ${id} is, and comes in shards: name a step that gathers them`,
        ]
      : [],
  );
  return [...wrong, ...shared, ...measures];
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
