import { z } from 'zod';
import { DAY_FORM } from '../../pipelines/civil-date.ts';

/** A day that a question may be asked for; `describe` says what it means there. */
export const ASKED_DAY = z
  .string()
  .regex(DAY_FORM, 'YYYY-MM-DD')
  .meta({ format: 'date' })
  .optional();

/**
 * Parameters of a question over days, both ends included; what a question takes where they are left
 * out is its own.
 */
export const ASKED_RANGE = {
  start: ASKED_DAY.describe('First day, YYYY-MM-DD'),
  end: ASKED_DAY.describe('Last day, YYYY-MM-DD'),
};
