import { z } from 'zod';
import { DAY_FORM } from '../../pipelines/civil-date.ts';

/** Parts of requests that many routes have. Unknown members are refused. */

/** Only dates that exist. */
export const civilDate = z
  .string()
  .regex(DAY_FORM, 'no such day')
  .meta({ format: 'date', description: 'A civil date, YYYY-MM-DD' });

/** Whether there is such a pipeline is for the route to say. */
export const pipelineName = z.string().min(1).max(64).describe('Name of a pipeline');

/** ISO instant in UTC. */
export const instant = z.iso
  .datetime({ offset: true })
  .describe('An instant, such as 2024-01-15T10:00:00Z');

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

/** Of routes without parameters. */
export const noQuery = z.strictObject({});
