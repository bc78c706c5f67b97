import { isCivilDate, toEpochDay } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import { ENERGY_COLUMNS, FOUR_POWERS } from '../flux/registers.ts';
import { FORMULA_ALIASES, TURPE_RATES } from '../rates/turpe.ts';
import type { TurpeRate } from '../rates/turpe.ts';
import {
  add,
  cents,
  compare,
  decimal,
  euros,
  multiply,
  parseDecimal,
  roundHalfAway,
  subtract,
} from './exact.ts';
import type { Fraction } from './exact.ts';

/** The network tariff of single lines: a pure function, a line in, an answer or an error out. */

/** Amounts and powers are decimals as text or numbers, energies whole or decimal kWh. */
export interface TurpeLine {
  readonly formule_tarifaire_acheminement?: unknown;
  /** The first day, and the day after the last one. */
  readonly debut?: unknown;
  readonly fin?: unknown;
  readonly puissance_souscrite_kva?: unknown;
  readonly puissance_souscrite_hph_kva?: unknown;
  readonly puissance_souscrite_hch_kva?: unknown;
  readonly puissance_souscrite_hpb_kva?: unknown;
  readonly puissance_souscrite_hcb_kva?: unknown;
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

class LineError extends Error {}

interface PreparedRate extends Omit<TurpeRate, 'b' | 'c' | 'cg' | 'cc' | 'cmdps'> {
  readonly yearly: Fraction;
  readonly b: readonly Fraction[];
  readonly c: readonly {
    readonly register: string;
    readonly column: string;
    readonly c: Fraction;
  }[];
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

/**
 * Calculates one line; whatever is wrong with it is an error of its own that names formula and
 * date.
 */
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
  const parts: TurpePart[] = [];
  let fixed: bigint | undefined;
  let energy: bigint | undefined;
  // One loop for both amounts: a list of them for every line takes as long as the formula.
  for (const part of rateParts) {
    const fixedOfPart = powers === undefined ? undefined : fixedPart(part, powers);
    const energyOfPart = energyPart(part, line, period);
    parts.push(partOf(part, fixedOfPart, energyOfPart));
    fixed = sumKnown(fixed, fixedOfPart);
    energy = sumKnown(energy, energyOfPart);
  }
  const overrun = overrunOf(line, period, rateParts[0]?.rate);
  const isWhole = parts.length === 1;
  const variable = overrun === 0n ? energy : (energy ?? 0n) + overrun;
  return {
    turpe_fixe_eur: isWhole ? (parts[0]?.turpe_fixe_eur ?? null) : text(fixed),
    turpe_variable_eur:
      isWhole && overrun === 0n ? (parts[0]?.turpe_variable_eur ?? null) : text(variable),
    est_partage: !isWhole,
    parts,
  };
}

function partOf(
  { debut, fin, days }: RatePart,
  fixed: bigint | undefined,
  energy: bigint | undefined,
): TurpePart {
  return {
    debut,
    fin,
    nb_jours: days,
    turpe_fixe_eur: text(fixed),
    turpe_variable_eur: text(energy),
  };
}

function text(amount: bigint | undefined): string | null {
  return amount === undefined ? null : euros(amount);
}

/**
 * Whether there are powers and energy is a property of the line: all parts have an amount or none
 * has.
 */
function sumKnown(sum: bigint | undefined, one: bigint | undefined): bigint | undefined {
  return sum === undefined || one === undefined ? one : sum + one;
}

interface KnownPeriod {
  readonly period: Period;
  readonly rateParts: readonly RatePart[];
}

/**
 * By formula, first and last day: many lines have the same ones. Joining the three to one key takes
 * longer.
 */
const periods = new Map<unknown, Map<unknown, Map<unknown, KnownPeriod>>>();
const MAX_PERIODS = 10_000;
let knownPeriods = 0;

function periodOf({ formule_tarifaire_acheminement: formula, debut, fin }: TurpeLine): KnownPeriod {
  const known = periods.get(formula)?.get(debut)?.get(fin);
  if (known !== undefined) return known;
  if (typeof formula !== 'string' || formula === '')
    throw new LineError('formule_tarifaire_acheminement is missing');
  const found = readPeriod(formula, debut, fin);
  if (knownPeriods >= MAX_PERIODS) {
    periods.clear();
    knownPeriods = 0;
  }
  knownPeriods += 1;
  const ofFormula = within(periods, formula);
  within(ofFormula, debut).set(fin, found);
  return found;
}

function within<Inner>(
  outer: Map<unknown, Map<unknown, Inner>>,
  key: unknown,
): Map<unknown, Inner> {
  const inner = outer.get(key) ?? new Map<unknown, Inner>();
  outer.set(key, inner);
  return inner;
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
  /** Management and metering of these days, in cents. */
  readonly standing: Fraction;
  /** Power over these days, in cents/kVA. */
  readonly b: readonly Fraction[];
  /** These days' share of the energy of the whole period, in cents/kWh. */
  readonly c: PreparedRate['c'];
}

/** The validities that a period lies in, each with its part of it. */
function partsOf({ formula, debut, fin, days: all }: Period): RatePart[] {
  const rates = RATES.get(formula);
  if (rates === undefined)
    throw new LineError(`${formula} is not a known formula (line from ${debut})`);
  const parts: RatePart[] = [];
  for (let at = debut; at < fin;) {
    const rate = rates.find(({ from, to }) => from <= at && at < to);
    if (rate === undefined) throw new LineError(`${formula} has no rates for ${at}`);
    const end = rate.to < fin ? rate.to : fin;
    const days = toEpochDay(end) - toEpochDay(at);
    parts.push({
      rate,
      debut: at,
      fin: end,
      days,
      ...ratesOverDays(rate, BigInt(days), BigInt(all)),
    });
    at = end;
  }
  return parts;
}

/** What does not depend on the line, once for all lines of the period. */
function ratesOverDays(
  rate: PreparedRate,
  days: bigint,
  all: bigint,
): Pick<RatePart, 'standing' | 'b' | 'c'> {
  const ofYear = { numerator: 100n * days, denominator: DAYS_OF_A_YEAR };
  const ofPeriod = { numerator: days, denominator: all };
  return {
    standing: multiply(rate.yearly, ofYear),
    b: rate.b.map((b) => multiply(b, ofYear)),
    c: rate.c.map(({ c, ...register }) => ({ ...register, c: multiply(c, ofPeriod) })),
  };
}

function numberAt(line: TurpeLine, column: string): Fraction | undefined {
  return numberOf(line[column], line, column);
}

function numberOf(value: unknown, line: TurpeLine, column: string): Fraction | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Number.isSafeInteger(value)) return { numerator: BigInt(value as number), denominator: 1n };
  const found =
    typeof value === 'string' || typeof value === 'number'
      ? parseDecimal(String(value).trim())
      : undefined;
  if (found === undefined)
    throw new LineError(
      `${String(line.formule_tarifaire_acheminement)}: ${column} is not a decimal`,
    );
  return found;
}

/**
 * Powers as they are written: those of a supplier are a few dozen, and reading one takes as long as
 * multiplying it.
 */
const readPowers = new Map<unknown, Fraction>();
const MAX_POWERS = 1_000;

function singlePower(line: TurpeLine): Fraction | undefined {
  const value = line.puissance_souscrite_kva;
  const known = readPowers.get(value);
  if (known !== undefined) return known;
  const power = numberOf(value, line, 'puissance_souscrite_kva');
  if (readPowers.size >= MAX_POWERS) readPowers.clear();
  if (power !== undefined) readPowers.set(value, power);
  return power;
}

/** One power for all hours, or four that rise from hph to hcb. */
function powersOf(line: TurpeLine, { formula, debut }: Period): readonly Fraction[] | undefined {
  const one = singlePower(line);
  if (!hasFourPowers(line)) return one === undefined ? undefined : [one];
  const four = FOUR_POWERS.map((column) => numberAt(line, column)).filter(
    (power) => power !== undefined,
  );
  if (four.length === 0) return one === undefined ? undefined : [one];
  if (four.length < FOUR_POWERS.length)
    throw new LineError(`${formula} from ${debut}: one of the four powers is missing`);
  const falls = four.some((power, index) => compare(four[index - 1] ?? ZERO, power) > 0);
  if (falls)
    throw new LineError(
      `${formula} from ${debut}: the powers must not fall from hph over hch and hpb to hcb`,
    );
  return four;
}

/** Whether one of the columns may hold something; most lines have none of them. */
function hasFourPowers(line: TurpeLine): boolean {
  return (
    line.puissance_souscrite_hph_kva !== undefined ||
    line.puissance_souscrite_hch_kva !== undefined ||
    line.puissance_souscrite_hpb_kva !== undefined ||
    line.puissance_souscrite_hcb_kva !== undefined
  );
}

/**
 * `(b·P + cg + cc) / 365 · days`, in leap years too; with four powers `b1·P1 + b2·(P2 − P1) + …`.
 * In cents.
 */
function fixedPart({ standing, b }: RatePart, powers: readonly Fraction[]): bigint {
  let sum = standing;
  for (const [index, power] of powers.entries()) {
    const below = powers[index - 1];
    const rate = b[index];
    if (rate === undefined) break;
    sum = add(sum, multiply(rate, below === undefined ? power : subtract(power, below)));
  }
  return roundHalfAway(sum);
}

/**
 * `Σ kWh · c / 100` in cents; of a divided line by days. Undefined when the line has no energy at
 * all.
 */
function energyPart(
  { rate, c: rates }: RatePart,
  line: TurpeLine,
  period: Period,
): bigint | undefined {
  let sum: Fraction | undefined;
  for (const { column, c } of rates) {
    const kwh = numberAt(line, column);
    if (kwh === undefined) {
      refuseCoarser(rate, line, period);
      return undefined;
    }
    sum = sum === undefined ? multiply(kwh, c) : add(sum, multiply(kwh, c));
  }
  return roundHalfAway(sum ?? ZERO);
}

/** Nothing at all is no energy; some registers of several are an error. */
function refuseCoarser(rate: PreparedRate, line: TurpeLine, { formula, debut }: Period): void {
  const missing = rate.c.filter(({ column }) => numberAt(line, column) === undefined);
  if (missing.length === rate.c.length && !hasEnergy(line)) return;
  const registers = missing.map(({ register }) => register).join(', ');
  throw new LineError(
    `${formula} from ${debut} needs energy for ${registers}; the line’s is coarser`,
  );
}

function hasEnergy(line: TurpeLine): boolean {
  return ENERGY_COLUMNS.some((column) => numberAt(line, column) !== undefined);
}

/** Hours over the subscribed power, at the rate of the first day. */
function overrunOf(
  line: TurpeLine,
  { formula, debut }: Period,
  rate: PreparedRate | undefined,
): bigint {
  const hours = numberOf(line.depassement_puissance_h, line, 'depassement_puissance_h');
  if (hours === undefined || hours.numerator === 0n) return 0n;
  if (rate?.cmdps === undefined)
    throw new LineError(`${formula} has no rate for hours over the power on ${debut}`);
  return cents(multiply(hours, rate.cmdps));
}
