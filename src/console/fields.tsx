import type { JSX } from 'preact';
import type { Words } from './words.ts';

/** Fields of forms. */

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
export function Choice({
  name,
  label,
  choices,
  words,
  isOptional,
  none = '–',
  value,
}: {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly string[];
  /** Where the choices are words of the console. */
  readonly words?: Words;
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
            {words?.[choice as keyof Words] ?? choice}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Yes or no. */
export function Tick({ name, label }: { readonly name: string; readonly label: string }): JSX.Element {
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
