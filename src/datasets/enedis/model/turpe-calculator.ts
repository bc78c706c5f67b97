import { isCivilDate, toEpochDay } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import { FORMULA_ALIASES, TURPE_RATES } from '../rates/turpe.ts';
import type { TurpeRate } from '../rates/turpe.ts';
import { add, cents, compare, decimal, euros, multiply, parseDecimal, subtract } from './exact.ts';
import type { Fraction } from './exact.ts';

/** The network tariff of single lines: a pure function, a line in, an answer or an error out. */

/** Amounts and powers are decimals as text or numbers, energies whole or decimal kWh. */
export interface TurpeLine {
  readonly formule_tarifaire_acheminement?: unknown;
  /** The first day, and the day after the last one. */
  readonly debut?: unknown;
  readonly fin?: unknown;
  readonly puissance_souscrite_kva?: unknown;
  readonly depassement_puissance_h?: unknown;
  readonly [column: string]: unknown;
}

/** The part of a line in one validity of the rates. */
export interface TurpePart {
  readonly debut: CivilDate;
  readonly fin: CivilDate;
  readonly nb_jours: number;
  readonly turpe_fixe_eur: string | null;
  readonly turpe_variable_eur: string | null;
}

/** Amounts in €, to the cent, as text. */
export interface TurpeAnswer {
  /** Null when the line has no power; never for another reason. */
  readonly turpe_fixe_eur: string | null;
  /** Null when the line has no energy. */
  readonly turpe_variable_eur: string | null;
  /** Whether the line lies over a change of rates: its energy was then divided by days. */
  readonly est_partage: boolean;
  readonly parts: readonly TurpePart[];
}

/** In French, for the person who gave the line. */
export interface TurpeError {
  readonly erreur: string;
}

const DAYS_OF_A_YEAR = 365n;
const ZERO: Fraction = { numerator: 0n, denominator: 1n };
const FOUR = ['hph', 'hch', 'hpb', 'hcb'] as const;
const FOUR_POWERS = FOUR.map((hour) => `puissance_souscrite_${hour}_kva`);
const ENERGIES = ['base', 'hp', 'hc', ...FOUR].map((register) => `energie_${register}_kwh`);

class LineError extends Error {}

interface PreparedRate extends Omit<TurpeRate, 'b' | 'c' | 'cg' | 'cc' | 'cmdps'> {
  readonly yearly: Fraction;
  readonly b: readonly Fraction[];
  readonly c: readonly { readonly register: string; readonly column: string; readonly c: Fraction }[];
  readonly cmdps: Fraction | undefined;
}

const PREPARED: readonly PreparedRate[] = TURPE_RATES.map(({ cg, cc, b, c, cmdps, ...rate }) => ({
  ...rate,
  yearly: add(decimal(cg), decimal(cc)),
  b: b.map(decimal),
  c: Object.entries(c).map(([register, rateText]) => ({
    register,
    column: `energie_${register}_kwh`,
    c: decimal(rateText),
  })),
  cmdps: cmdps === undefined ? undefined : decimal(cmdps),
}));

const RATES: ReadonlyMap<string, readonly PreparedRate[]> = new Map(
  PREPARED.map(({ formula }) => [formula, PREPARED.filter((rate) => rate.formula === formula)]),
);

/** Calculates one line; whatever is wrong with it is an error of its own that names formula and date. */
export function calculateTurpe(line: TurpeLine): TurpeAnswer | TurpeError {
  try {
    return answer(line);
  } catch (error) {
    if (error instanceof LineError) return { erreur: error.message };
    throw error;
  }
}

interface Period {
  readonly formula: string;
  readonly debut: CivilDate;
  readonly fin: CivilDate;
  readonly days: number;
}

function answer(line: TurpeLine): TurpeAnswer {
  const { period, rateParts } = periodOf(line);
  const powers = powersOf(line, period);
  const parts = rateParts.map(({ rate, debut, fin, days }) => {
    const fixed = powers === undefined ? undefined : cents(fixedPart(rate, powers, days));
    const energy = energyPart(rate, line, { period, days });
    return { debut, fin, nb_jours: days, fixed, energy, rate };
  });
  const overrun = overrunOf(line, period, parts[0]?.rate);
  const fixed = sumKnown(parts.map((part) => part.fixed));
  const energy = sumKnown(parts.map((part) => part.energy));
  return {
    turpe_fixe_eur: text(fixed),
    turpe_variable_eur: energy === undefined && overrun === 0n ? null : euros((energy ?? 0n) + overrun),
    est_partage: parts.length > 1,
    parts: parts.map((part) => ({
      debut: part.debut,
      fin: part.fin,
      nb_jours: part.nb_jours,
      turpe_fixe_eur: text(part.fixed),
      turpe_variable_eur: text(part.energy),
    })),
  };
}

function text(amount: bigint | undefined): string | null {
  return amount === undefined ? null : euros(amount);
}

function sumKnown(amounts: readonly (bigint | undefined)[]): bigint | undefined {
  return amounts.reduce((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one), 0n);
}

interface KnownPeriod {
  readonly period: Period;
  readonly rateParts: readonly RatePart[];
}

/** Many lines have the same formula and dates. */
const periods = new Map<string, KnownPeriod>();
const MAX_PERIODS = 10_000;

function periodOf({ formule_tarifaire_acheminement: formula, debut, fin }: TurpeLine): KnownPeriod {
  const key = `${String(formula)}/${String(debut)}/${String(fin)}`;
  const known = periods.get(key);
  if (known !== undefined) return known;
  if (typeof formula !== 'string' || formula === '') throw new LineError('formule_tarifaire_acheminement is missing');
  const found = readPeriod(formula, debut, fin);
  if (periods.size >= MAX_PERIODS) periods.clear();
  periods.set(key, found);
  return found;
}

function readPeriod(formula: string, debut: unknown, fin: unknown): KnownPeriod {
  if (typeof debut !== 'string' || !isCivilDate(debut)) {
    throw new LineError(`${formula}: debut is not a date YYYY-MM-DD`);
  }
  if (typeof fin !== 'string' || !isCivilDate(fin)) {
    throw new LineError(`${formula} from ${debut}: fin is not a date YYYY-MM-DD`);
  }
  const days = toEpochDay(fin) - toEpochDay(debut);
  if (days <= 0) throw new LineError(`${formula} from ${debut}: fin ${fin} is not after it`);
  const period = { formula: FORMULA_ALIASES[formula] ?? formula, debut, fin, days };
  return { period, rateParts: partsOf(period) };
}

interface RatePart {
  readonly rate: PreparedRate;
  readonly debut: CivilDate;
  readonly fin: CivilDate;
  readonly days: number;
}

/** The validities that a period lies in, each with its part of it. */
function partsOf({ formula, debut, fin }: Period): RatePart[] {
  const rates = RATES.get(formula);
  if (rates === undefined) throw new LineError(`${formula} is not a known formula (line from ${debut})`);
  const parts: RatePart[] = [];
  for (let at = debut; at < fin;) {
    const rate = rates.find(({ from, to }) => from <= at && at < to);
    if (rate === undefined) throw new LineError(`${formula} has no rates for ${at}`);
    const end = rate.to < fin ? rate.to : fin;
    parts.push({ rate, debut: at, fin: end, days: toEpochDay(end) - toEpochDay(at) });
    at = end;
  }
  return parts;
}

function numberAt(line: TurpeLine, column: string): Fraction | undefined {
  const value = line[column];
  if (value === undefined || value === null || value === '') return undefined;
  const found = typeof value === 'string' || typeof value === 'number' ? parseDecimal(String(value).trim()) : undefined;
  if (found === undefined)
    throw new LineError(`${String(line.formule_tarifaire_acheminement)}: ${column} is not a decimal`);
  return found;
}

/** One power, or four that rise from hph to hcb. */
function powersOf(line: TurpeLine, { formula, debut }: Period): readonly Fraction[] | undefined {
  const one = numberAt(line, 'puissance_souscrite_kva');
  const four = FOUR_POWERS.map((column) => numberAt(line, column)).filter((power) => power !== undefined);
  if (four.length === 0) return one === undefined ? undefined : [one, one, one, one];
  if (four.length < FOUR.length) throw new LineError(`${formula} from ${debut}: one of the four powers is missing`);
  const falls = four.some((power, index) => compare(four[index - 1] ?? ZERO, power) > 0);
  if (falls) throw new LineError(`${formula} from ${debut}: the powers must not fall from hph over hch and hpb to hcb`);
  return four;
}

/** `(b·P + cg + cc) / 365 · days`, in leap years too; with four powers `b1·P1 + b2·(P2 − P1) + …`. */
function fixedPart(rate: PreparedRate, powers: readonly Fraction[], days: number): Fraction {
  const yearly = rate.b.reduce((sum, b, index) => {
    const step = index === 0 ? (powers[0] ?? ZERO) : subtract(powers[index] ?? ZERO, powers[index - 1] ?? ZERO);
    return add(sum, multiply(b, step));
  }, rate.yearly);
  return multiply(yearly, { numerator: BigInt(days), denominator: DAYS_OF_A_YEAR });
}

/** `Σ kWh · c / 100` in cents; of a divided line by days. Undefined when the line has no energy at all. */
function energyPart(
  rate: PreparedRate,
  line: TurpeLine,
  { period, days }: { period: Period; days: number },
): bigint | undefined {
  let sum = ZERO;
  const missing: string[] = [];
  for (const { register, column, c } of rate.c) {
    const kwh = numberAt(line, column);
    if (kwh === undefined) missing.push(register);
    else sum = add(sum, multiply(kwh, c));
  }
  if (missing.length === rate.c.length && !hasEnergy(line)) return undefined;
  if (missing.length > 0) {
    throw new LineError(
      `${period.formula} from ${period.debut} needs energy for ${missing.join(', ')}; the line’s is coarser`,
    );
  }
  return cents(multiply(sum, { numerator: BigInt(days), denominator: 100n * BigInt(period.days) }));
}

function hasEnergy(line: TurpeLine): boolean {
  return ENERGIES.some((column) => numberAt(line, column) !== undefined);
}

/** Hours over the subscribed power, at the rate of the first day. */
function overrunOf(line: TurpeLine, { formula, debut }: Period, rate: PreparedRate | undefined): bigint {
  const hours = numberAt(line, 'depassement_puissance_h');
  if (hours === undefined || hours.numerator === 0n) return 0n;
  if (rate?.cmdps === undefined) throw new LineError(`${formula} has no rate for hours over the power on ${debut}`);
  return cents(multiply(hours, rate.cmdps));
}
