import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { ScheduledRetention } from '../engine/contract.ts';
import { SURVEY_RETRY } from './control-retry.ts';
import { checkInput, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { withPlainFailures } from './plain-failures.ts';
import { describeRun } from './search-attributes.ts';

/** Whose content ends. */
export interface RetainInput {
  readonly pipeline: string;
}

const RETAIN_INPUT: Shape<RetainInput> = { pipeline: text };

/**
 * What the schedule of retention starts: content past its time is told of, or destroyed, as the
 * setting of the workers says. One that is cut short is begun anew and finds what is left; while a
 * store is away its tries wait for it.
 */
export function retain(input: RetainInput): Promise<ScheduledRetention> {
  checkInput('retain', RETAIN_INPUT, input);
  const { pipeline } = input;
  return withPlainFailures(async () => {
    describeRun({ Pipeline: pipeline, RunReason: 'schedule' });
    const result = await proxyActivities<Activities>(SURVEY_RETRY).retain(pipeline);
    setCurrentDetails(story(result));
    return result;
  });
}

function story({ pipeline, applied, tables, keys }: ScheduledRetention): string {
  const what = applied
    ? 'was destroyed'
    : 'is past its time, and stays: QUOTIDIEN_RETAIN is dry-run';
  if (tables.length + keys.length === 0) return `**${pipeline}**: nothing is past its time`;
  const rows = tables.map(
    ({ table, objects, bytes, from, to, basis }) =>
      `| ${table} | ${from} … ${to} | ${objects} | ${bytes} | ${basis} |`,
  );
  const head = ['| table | of | objects | bytes | kept as |', '|---|---|---|---|---|'];
  const ended = keys.length === 0 ? [] : ['', `Keys of sealed raw files: ${keys.join(', ')}`];
  return [`**${pipeline}**: what follows ${what}`, '', ...head, ...rows, ...ended].join('\n');
}
