import type { Register } from './registers.ts';
import { isKnownCalendar, registerOf, wholeKwh } from './registers.ts';
import type { Finding } from './linear.ts';
import { unknownValue } from './linear.ts';
import { many, textAt, texts } from './shape.ts';
import type { TreeObject } from './shape.ts';

/** `Classe_Temporelle_Distributeur` of C15 and R15: one register in one class of measure. */
export const MEASURED_CLASS = many(
  texts(
    'Id_Classe_Temporelle',
    'Classe_Mesure',
    'Unite_Mesure',
    'Sens_Mesure',
    'Valeur',
    'Valeur_Precedent',
    'Nb_Chiffres_Cadran',
    'Indicateur_Passage_A_Zero',
    'Num_Serie',
  ),
);

/**
 * Withdrawn energy as an index; class 2 is a consumption, and three quarters of a table without
 * this filter are wrong.
 */
const INDEX_CLASS = '1';
const WITHDRAWN = '0';

/** Whether a class is an index of withdrawn energy: consumptions and injections are not. */
export function isIndex(measured: TreeObject): boolean {
  return (
    textAt(measured, 'Classe_Mesure') === INDEX_CLASS &&
    textAt(measured, 'Sens_Mesure') === WITHDRAWN
  );
}

/** The registers of one reading, in kWh. */
export interface Indexes {
  readonly values: ReadonlyMap<Register, number>;
  /** Of the reading before, where this one tells it. */
  readonly previous: ReadonlyMap<Register, number>;
  /** Digits of the counter; the fewest when registers differ. */
  readonly digits: number | null;
  /** Whether a register says that it passed zero. */
  readonly passedZero: boolean;
  /** Of the meter. */
  readonly serial: string | null;
  /** Classes that no register stands for. */
  readonly dropped: number;
}

/** The indexes among the classes, in whole kWh. */
export function indexesOf(classes: readonly TreeObject[]): Indexes {
  const own = classes.filter(isIndex);
  const values = new Map<Register, number>();
  const previous = new Map<Register, number>();
  let dropped = 0;
  for (const measured of own) {
    const register = registerOf(textAt(measured, 'Id_Classe_Temporelle'));
    const unit = textAt(measured, 'Unite_Mesure');
    const value = wholeKwh(textAt(measured, 'Valeur'), unit);
    const before = wholeKwh(textAt(measured, 'Valeur_Precedent'), unit);
    if (register === undefined) dropped += 1;
    else if (!values.has(register)) {
      if (value !== null) values.set(register, value);
      if (before !== null) previous.set(register, before);
    }
  }
  const digits = own.flatMap(
    (measured) => wholeKwh(textAt(measured, 'Nb_Chiffres_Cadran'), null) ?? [],
  );
  return {
    values,
    previous,
    digits: digits.length === 0 ? null : Math.min(...digits),
    passedZero: own.some((measured) => textAt(measured, 'Indicateur_Passage_A_Zero') === '1'),
    serial:
      own.map((measured) => textAt(measured, 'Num_Serie')).find((serial) => serial !== null) ??
      null,
    dropped,
  };
}

/** Units and calendars that a reading of C15 or R15 must not have. */
export function readingFindings(
  calendar: string | null,
  classes: readonly TreeObject[],
): readonly Finding[] {
  const units = classes
    .filter(isIndex)
    .flatMap((measured) =>
      unknownValue('unknown_unit', 'the unit', textAt(measured, 'Unite_Mesure'), ['kWh', 'Wh']),
    );
  const unknown = isKnownCalendar(calendar)
    ? []
    : unknownValue('unknown_calendar', 'the calendar', calendar, []);
  return [...units, ...unknown];
}
