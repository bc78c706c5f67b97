import { matchOf } from '../../kit/index.ts';
/** The registers of a meter that are read: one, two by hours, or four by hours and season. */
export const REGISTERS = ['base', 'hp', 'hc', 'hph', 'hch', 'hpb', 'hcb'] as const;
/** Part of the names of columns, `index_hph_kwh`. */
export type Register = (typeof REGISTERS)[number];

/** The distributor's calendars, and the registers that count under each. */
export const CALENDARS = {
  DI000001: ['base'],
  DI000002: ['hp', 'hc'],
  DI000003: ['hph', 'hch', 'hpb', 'hcb'],
} as const satisfies Readonly<Record<string, readonly Register[]>>;

/** The registers by hours and season, in the order in which a contract has its four powers. */
export const FOUR_HOURS = CALENDARS.DI000003;

/** The column of the energy that a register counted, kWh. */
export function energyColumn(register: Register): string {
  return `energie_${register}_kwh`;
}

/** The column of the power that is subscribed for the hours of a register, kVA. */
export function powerColumn(register: Register): string {
  return `puissance_souscrite_${register}_kva`;
}

/** Of every register. */
export const ENERGY_COLUMNS: readonly string[] = REGISTERS.map(energyColumn);
/** Of the four hours by season. */
export const FOUR_POWERS: readonly string[] = FOUR_HOURS.map(powerColumn);

/** The register as people write it: `base`, `HPH`. */
export function registerLabel(register: Register): string {
  return register === 'base' ? register : register.toUpperCase();
}

/** Calendars that say nothing: their readings are counted and left out. */
export const UNUSABLE_CALENDARS: readonly string[] = ['INCONNU', 'DN999999'];

/** True also for none, and for calendars that say nothing. */
export function isKnownCalendar(id: string | null): boolean {
  return id === null || Object.hasOwn(CALENDARS, id) || UNUSABLE_CALENDARS.includes(id);
}

const BY_NAME: ReadonlyMap<string, Register> = new Map(
  REGISTERS.map((register) => [register, register]),
);

/** The register of an `Id_Classe_Temporelle`; undefined for one that is dropped. */
export function registerOf(classId: string | null): Register | undefined {
  return classId === null ? undefined : BY_NAME.get(classId.toLowerCase());
}

const WH_PER_KWH = 1_000n;
/** Exact when divided as numbers; nearly every index is written so. */
const SHORT_WHOLE = /^\d{1,12}$/;
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/**
 * Whole kWh of a quantity, towards −∞; each index is cut before differences are made, as the
 * distributor's invoices do. A quantity in another unit than Wh stays what it is, cut to whole
 * numbers.
 *
 * @returns null for text that is no number
 */
export function wholeKwh(text: string | null, unit: string | null): number | null {
  if (text !== null && SHORT_WHOLE.test(text))
    return Math.floor(Number(text) / (unit === 'Wh' ? 1_000 : 1));
  const [, sign = '', whole = '', fraction = ''] = matchOf(DECIMAL, text) ?? [];
  if (whole === '') return null;
  const scale = 10n ** BigInt(fraction.length);
  const value = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const divisor = unit === 'Wh' ? scale * WH_PER_KWH : scale;
  const quotient = value / divisor;
  return Number(value < 0n && value % divisor !== 0n ? quotient - 1n : quotient);
}

/** A decimal as it is written, without a sign of plus; null for text that is no number. */
export function decimalOf(text: string | null): string | null {
  return text !== null && DECIMAL.test(text) ? text.replace(/^\+/, '') : null;
}
