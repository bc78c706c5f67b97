import { patched, workflowInfo } from '@temporalio/workflow';
import { isCivilDate } from '../pipelines/civil-date.ts';
import { codedFailure } from './plain-failures.ts';

/**
 * Checks of what people and other programs give to workflows: every member is named in a shape, and
 * what a shape does not name is refused, because a mistyped member would otherwise be dropped
 * without a word. Made by hand: the bundle of the workflow code is evaluated for every run, and zod
 * would double it.
 */

interface Member {
  /** What is wrong with a value, in words that follow its name; undefined: nothing. */
  problem(value: unknown): string | undefined;
  readonly optional?: true;
}

/** Names every member of `T`, so that a new member cannot be forgotten here. */
export type Shape<T> = { readonly [K in keyof Required<T>]: Member };

function member(what: string, fits: (value: unknown) => boolean): Member {
  return { problem: (value) => (fits(value) ? undefined : `is ${what}, not ${inWords(value)}`) };
}

const LONGEST_SHOWN = 80;

function inWords(value: unknown): string {
  const words = value === undefined ? 'absent' : JSON.stringify(value);
  return words.length > LONGEST_SHOWN ? `${words.slice(0, LONGEST_SHOWN)}…` : words;
}

/** Blank texts are refused. */
export const text = member('a text', (value) => typeof value === 'string' && value.trim() !== '');

/** `'true'` is no flag: the UI sends JSON. */
export const flag = member('true or false', (value) => typeof value === 'boolean');

/** The 30th of February is refused too. */
export const civilDate = member(
  'an existing date, written YYYY-MM-DD',
  (value) => typeof value === 'string' && isCivilDate(value),
);
/** What only our own code gives. */
export const internal: Member = { problem: () => undefined, optional: true };

/** Case matters. */
export function oneOf(names: readonly string[]): Member {
  return member(
    `one of ${names.join(', ')}`,
    (value) => typeof value === 'string' && names.includes(value),
  );
}

/** A number from `min` to `max`. */
export function number(min: number, max: number): Member {
  return member(
    `a number from ${min} to ${max}`,
    (value) => typeof value === 'number' && value >= min && value <= max,
  );
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): Member {
  return member(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  );
}

/** An empty list is accepted; the first wrong item is told. */
export function listOf(each: Member): Member {
  return {
    problem(value) {
      if (!Array.isArray(value)) return `is a list, not ${inWords(value)}`;
      for (const item of value) {
        const problem = each.problem(item);
        if (problem !== undefined) return `has an item that ${problem}`;
      }
      return undefined;
    },
  };
}

/** May be absent; null is not absent. */
export function optional(of: Member): Member {
  return { problem: (value) => of.problem(value), optional: true };
}

/** What is wrong with a value that is to have this shape; undefined: nothing. */
export function problemOf<T>(shape: Shape<T>, value: unknown): string | undefined {
  const members = Object.entries<Member>(shape);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `an object with ${named(members)} is needed, not ${inWords(value)}`;
  }
  const given = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(shape, name));
  if (unknown !== undefined)
    return `there is no member ${JSON.stringify(unknown)}; its members are ${named(members)}`;
  for (const [name, one] of members) {
    const mayLack = given[name] === undefined && one.optional === true;
    const found = mayLack ? undefined : one.problem(given[name]);
    if (found !== undefined) return `${name} ${found}`;
  }
  return undefined;
}

function named(members: readonly (readonly [string, Member])[]): string {
  return members
    .filter(([, one]) => one !== internal)
    .map(([name, one]) => (one.optional === true ? `${name}?` : name))
    .join(', ');
}

/** Refuses the input of an update, by `INPUT_INVALID`, before it leaves a trace in history. */
export function checkUpdate<T>(name: string, shape: Shape<T>, input: unknown): void {
  const problem = problemOf(shape, input);
  if (problem !== undefined) refuse(`the input of ${name}: ${problem}`);
}

/** Runs that were under way when inputs were not checked yet go on with what they were given. */
const CHECKED = 'inputs-are-checked';

/**
 * Fails a run, by `INPUT_INVALID`, whose input does not have its shape. A good input leaves no
 * trace in history.
 */
export function checkInput<T>(workflow: string, shape: Shape<T>, input: unknown): void {
  const problem = problemOf(shape, input);
  if (problem !== undefined && patched(CHECKED))
    refuse(`the input of the workflow ${workflow}: ${problem}`);
}

/** Runs that were under way when ids were not compared yet go on. */
const ID_COMPARED = 'ids-are-compared';

/**
 * Fails a run, by `INPUT_INVALID`, that has the name of another day: whoever looks for that day, or
 * joins it, would get this one.
 */
export function checkDayId({
  pipeline,
  date,
}: {
  readonly pipeline: string;
  readonly date: string;
}): void {
  const { workflowId } = workflowInfo();
  const expected = `day/${pipeline}/${date}`;
  if (!workflowId.startsWith('day/') || workflowId === expected || !patched(ID_COMPARED)) return;
  refuse(
    `the workflow id ${workflowId} is that of another day than the input, which is ${expected}`,
  );
}

/** Throws: in a validator it refuses the update, in a workflow it fails the run. */
export function refuse(
  message: string,
  code: 'INPUT_INVALID' | 'PLAN_INVALID' = 'INPUT_INVALID',
): never {
  throw codedFailure(code, message);
}
