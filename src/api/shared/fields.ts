import { z } from 'zod';
import { isCivilDate } from '../../pipelines/civil-date.ts';

/** Parts of requests that many routes have. Unknown members are refused. */

/** Only dates that exist. */
export const civilDate = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .refine(isCivilDate, 'no such day')
  .describe('A civil date, YYYY-MM-DD');

/** Whether there is such a pipeline is for the route to say. */
export const pipelineName = z.string().min(1).max(64).describe('Name of a pipeline');

/** ISO instant in UTC. */
export const instant = z.iso.datetime({ offset: true }).describe('An instant, such as 2024-01-15T10:00:00Z');

/** Of a path below `/pipelines/:pipeline`. */
export const pipelineParams = z.strictObject({ pipeline: pipelineName });

/** Of a path below `/pipelines/:pipeline/days/:date`. */
export const dayParams = z.strictObject({ pipeline: pipelineName, date: civilDate });

/** A month, a year, or the whole history. */
export const periodName = z
  .string()
  .regex(/^(\d{4}(-(0[1-9]|1[0-2]))?|all)$/)
  .describe('YYYY-MM, YYYY or all');

/** Of a path below `/pipelines/:pipeline/periods/:period`. */
export const periodParams = z.strictObject({ pipeline: pipelineName, period: periodName });

/** Both ends included; each may be left out. */
export const rangeQuery = z.strictObject({ from: civilDate.optional(), to: civilDate.optional() });

/** Answers that are streamed or sent as text. */
export const anything = z.any();

/** Answers whose members the reading functions define. */
export const anyRecord = z.record(z.string(), z.unknown());

/** The form of every answer that is an error. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    remedy: z.string(),
  })
  .describe('Problem details (RFC 9457) with a code of the error table');

/** For `response` of every route: what is not an answer is a problem. */
export const problems = {
  default: { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } },
};

/** For `response` of a route that sends a table as CSV, streamed. */
export const csvText = {
  description: 'The table as CSV',
  content: { 'text/csv': { schema: z.string() } },
};
