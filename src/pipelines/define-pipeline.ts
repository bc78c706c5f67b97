import { PipelineError } from '../errors.ts';
import { cronProblem } from './cron.ts';
import type { PipelineDefinition, StepDefinition } from './definition.ts';
import { expandShards, shardProblems } from './expand-shards.ts';
import { graphProblems } from './period-graph.ts';
import { withRetainSchedule } from './retention.ts';
import { PAYLOAD_BYTES, requestBytes } from './work-window.ts';

/**
 * Checks a definition once and returns it with its shards written out; a mistake in it is
 * `PLAN_INVALID` and names the step.
 */
export function definePipeline(declared: PipelineDefinition): PipelineDefinition {
  const wrong = shardProblems(declared);
  const definition = wrong.length > 0 ? declared : expandShards(declared);
  const problems = [
    ...wrong,
    ...duplicateIds(definition),
    ...stepProblems(definition),
    ...rollupProblems(definition),
    ...recordProblems(definition),
    ...scheduleProblems(definition),
    ...windowProblems(definition),
    ...retentionProblems(definition),
  ];
  if (problems.length > 0) {
    throw new PipelineError(
      'PLAN_INVALID',
      `pipeline ${definition.name} is not well defined: ${problems.join('; ')}`,
    );
  }
  return { ...definition, schedules: withRetainSchedule(definition) };
}

function duplicateIds({ steps, rollups, parts }: PipelineDefinition): string[] {
  const ids = [
    ...steps.map((step) => step.id),
    ...rollups.map((rollup) => rollup.id),
    ...parts.map((part) => part.id),
  ];
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is defined twice`);
}

function stepProblems({ steps, parts, since }: PipelineDefinition): string[] {
  const problems: string[] = [];
  const seen = new Map<string, StepDefinition>();
  for (const part of parts) {
    if (part.since !== undefined && part.since < since)
      problems.push(`${part.id} begins ${part.since}, before the pipeline, which begins ${since}`);
  }
  for (const { id, completeness } of parts) {
    if (completeness !== undefined && !steps.some((step) => step.id === completeness.step))
      problems.push(`${completeness.step} tells how whole ${id} is, and does not exist`);
  }
  for (const step of steps) {
    if (step.part !== undefined && !parts.some((part) => part.id === step.part)) {
      problems.push(`${step.id} fetches part ${step.part}, which does not exist`);
    }
    for (const { name, asOf } of step.inputs) {
      const least = asOf?.pipeline === undefined ? 1 : 0;
      if (
        asOf !== undefined &&
        ((asOf.lagDays ?? 0) < least || asOf.withinDays < (asOf.lagDays ?? 0))
      )
        problems.push(
          `${step.id} reads ${name} as of no day: lagDays is ${least} or more, withinDays not less`,
        );
    }
    for (const input of step.inputs.filter(({ asOf }) => asOf?.pipeline === undefined)) {
      const source = seen.get(input.step);
      if (source === undefined)
        problems.push(`${step.id} reads ${input.step}, which does not come before it`);
      else if (!(input.output in source.outputs))
        problems.push(`${step.id} reads ${input.step}:${input.output}, no output`);
    }
    for (const name of step.needsAnyOf ?? []) {
      if (!step.inputs.some((input) => input.name === name))
        problems.push(`${step.id} needs ${name}, which is no input`);
    }
    seen.set(step.id, step);
  }
  return problems;
}

function rollupProblems({ steps, rollups }: PipelineDefinition): string[] {
  const grains = rollups.map(({ grain }) => grain);
  const doubled = rollups.filter(({ grain }, index) => grains.indexOf(grain) !== index);
  // The manifest of a period names the one rollup that made it.
  return [
    ...doubled.map(({ id, grain }) => `${id} is a second rollup of grain ${grain}`),
    ...graphProblems({ steps, rollups }),
  ];
}

function recordProblems({ steps, rollups, recordTables = {} }: PipelineDefinition): string[] {
  const records = [...steps, ...rollups].flatMap(({ id, outputs }) =>
    Object.values(outputs).flatMap(({ recordAs }) =>
      recordAs === undefined ? [] : [{ id, table: recordAs.table }],
    ),
  );
  return records
    .filter(({ table }) => !(table in recordTables))
    .map(({ id, table }) => `${id} makes records of ${table}, no table of recordTables`);
}

function scheduleProblems({ schedules }: PipelineDefinition): string[] {
  const ids = schedules.map(({ id }) => id);
  const doubled = ids.filter((id, index) => ids.indexOf(id) !== index);
  const unreadable = schedules.flatMap(({ id, cron }) => {
    const problem = cronProblem(cron);
    return problem === undefined ? [] : [`schedule ${id}: ${problem}`];
  });
  return [...doubled.map((id) => `schedule ${id} is defined twice`), ...unreadable];
}

function windowProblems({ steps, workWindow = 'month' }: PipelineDefinition): string[] {
  return steps.flatMap((step) => {
    const bytes = step.singleDaysOnly === true ? 0 : requestBytes(step, workWindow);
    if (bytes <= PAYLOAD_BYTES) return [];
    return [
      `the keys that ${step.id} reads of a ${workWindow} have ${bytes} bytes, more than ${PAYLOAD_BYTES}`,
    ];
  });
}

function retentionProblems({ parts, steps, rollups }: PipelineDefinition): string[] {
  const outputs = [...steps, ...rollups].flatMap((step) =>
    Object.entries(step.outputs).map(
      ([name, output]) => [`${step.id}:${name}`, output.retention] as const,
    ),
  );
  const raws = parts.map(({ id, rawRetention }) => [`raw files of ${id}`, rawRetention] as const);
  return [...outputs, ...raws].flatMap(([name, retention]) => {
    if (retention === undefined || (Number.isInteger(retention.months) && retention.months >= 1))
      return [];
    return [`${name} are kept for ${retention.months} months: give a whole number from 1`];
  });
}
