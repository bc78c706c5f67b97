import type { ComponentChildren, JSX } from 'preact';
import type { AskedRange } from '../engine/look/range-of-days.ts';
import type { PageContext } from './layout.tsx';
import type { Words } from './words.ts';

/** Forms that ask, and fields of all forms. */

/** What is filled in becomes the address of a page, in the language of this one. */
export function AskForm({
  page: { words, language },
  path,
  button = words.show,
  children,
}: {
  readonly page: PageContext;
  readonly path: string;
  readonly button?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <form method="get" action={path}>
      <input type="hidden" name="lang" value={language} />
      {children}
      <button type="submit">{button}</button>
    </form>
  );
}

/** The first and the last day that are asked for. */
export function RangeFields({
  words,
  range,
}: {
  readonly words: Words;
  readonly range: AskedRange;
}): JSX.Element {
  return (
    <>
      <label>
        {words.from}
        <input type="date" name="from" value={range.from} />
      </label>
      <label>
        {words.to}
        <input type="date" name="to" value={range.to} />
      </label>
    </>
  );
}

/** Why something is done: nothing is done without. */
export function Reason({ label }: { readonly label: string }): JSX.Element {
  return (
    <label class="wide">
      {label}
      <input name="reason" required minLength={3} maxLength={500} autocomplete="off" />
    </label>
  );
}

/** One of several words. */
export function Choice<C extends string>({
  name,
  label,
  choices,
  words,
  tell = (choice) => words?.[choice as string as keyof Words] ?? choice,
  isOptional,
  none = '–',
  value,
}: {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly C[];
  /** Where the choices are words of the console. */
  readonly words?: Words;
  /** What a choice is called. */
  readonly tell?: (choice: C) => string;
  readonly isOptional?: boolean;
  readonly none?: string;
  /** Chosen at first. */
  readonly value?: string | undefined;
}): JSX.Element {
  return (
    <label>
      {label}
      <select name={name}>
        {isOptional === true ? <option value="">{none}</option> : null}
        {choices.map((choice) => (
          <option key={choice} value={choice} selected={choice === value}>
            {tell(choice)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Yes or no. */
export function Tick({
  name,
  label,
}: {
  readonly name: string;
  readonly label: string;
}): JSX.Element {
  return (
    <label class="tick">
      <input type="checkbox" name={name} value="on" /> {label}
    </label>
  );
}

/** A whole number; left empty, the server chooses. */
export function Count({
  name,
  label,
  max,
}: {
  readonly name: string;
  readonly label: string;
  readonly max: number;
}): JSX.Element {
  return (
    <label>
      {label}
      <input type="number" name={name} min={1} max={max} />
    </label>
  );
}
