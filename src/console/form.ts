import type { z } from 'zod';
import { PipelineError } from '../errors.ts';

/** What a form sends, which is texts alone, as the values that a schema asks for. */

/** Fields that are no text: a ticked box is true, an unticked one is not sent at all. */
export interface FieldKinds {
  readonly flags?: readonly string[];
  readonly numbers?: readonly string[];
}

/**
 * By the schema of the API; fields that were left empty count as not given. `INPUT_INVALID` names
 * the field that is wrong.
 */
export function readForm<S extends z.ZodType>(
  schema: S,
  body: unknown,
  { flags = [], numbers = [] }: FieldKinds = {},
): z.output<S> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries((body ?? {}) as Record<string, string>)) {
    if (text === '') continue;
    values[name] = flags.includes(name)
      ? text === 'on'
      : numbers.includes(name)
        ? Number(text)
        : text;
  }
  const read = schema.safeParse(values);
  if (read.success) return read.data;
  const told = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new PipelineError('INPUT_INVALID', told.join('; '));
}

/** Members of an address that are about this one visit, and not about what is shown. */
export const OF_THIS_VISIT: readonly string[] = ['lang', 'done'];

/** Members of an address that say what is shown; fields that were left empty are not asked for. */
export function filledIn(query: unknown): Record<string, unknown> {
  const members = Object.entries((query ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    members.filter(([name, value]) => value !== '' && !OF_THIS_VISIT.includes(name)),
  );
}

/** What an address of a page asks for, behind its question mark. */
export function askedOf(address: string): Record<string, string> {
  return fieldsOf(new URL(address, 'http://localhost').search);
}

/** The fields of a body of the type that forms have; of a repeated one the last. */
export function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
