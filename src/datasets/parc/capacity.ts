import type { RegisterSource, RteSource, Source } from './sources-of-power.ts';
import { REGISTER_SOURCES, RTE_SOURCES, SOURCES } from './sources-of-power.ts';

/**
 * Installed capacity in a month. RTE tells how much was produced and at which mean load factor;
 * capacity is what gives the one by the other: `capacity = production / (load factor × hours of the
 * month)`, with the hours of the civil month of Paris (743 in March, 745 in October). It is the
 * mean over the month; the register's is that of 31 December. Both are kept. Pure.
 */

/** What RTE tells of a source in a month; null where it does not. */
export interface MonthlyFigure {
  readonly production_mwh: number | null;
  /** 0–1 */
  readonly load_factor: number | null;
}

/** RTE tells of wind on land, wind at sea and sun alone. */
export type MonthlyFigures = Readonly<Partial<Record<RteSource, MonthlyFigure>>>;

/** Capacity in MW on 31 December of a year, by source; null where the register has no figure. */
export type RegisterYear = Readonly<Partial<Record<RegisterSource, number | null>>>;

/** One source in one month. */
export interface CapacityRow extends MonthlyFigure {
  /** `2024-01` */
  readonly period: string;
  readonly source: Source;
  /** Of the civil month of Paris. */
  readonly hours: number;
  /** From RTE's figures; null without both of them, or at a load factor of zero. */
  readonly derived_mw: number | null;
  /** On 31 December of the year before the month's. */
  readonly register_before_mw: number | null;
  /** On 31 December of the month's year; null until it is published. */
  readonly register_mw: number | null;
  /** Derived minus register, where both tell of the same time: in December. */
  readonly difference_mw: number | null;
  /**
   * In December the register's where it has one; else the derived one; else the register's of the
   * last year before.
   */
  readonly capacity_mw: number | null;
  /** Which of the three `capacity_mw` is; null where none is known. */
  readonly capacity_from: 'register' | 'rte' | 'register_before' | null;
}

/** All that the rows of one month are computed from. */
export interface MonthToTell {
  readonly period: string;
  readonly hours: number;
  readonly figures: MonthlyFigures;
  readonly registerBefore: RegisterYear;
  readonly register: RegisterYear;
}

/** A row for each source of which anything is known. */
export function capacityRows(month: MonthToTell): CapacityRow[] {
  return SOURCES.map((source) => rowOf(month, source)).filter(
    ({
      production_mwh: energy,
      load_factor: factor,
      register_mw: end,
      register_before_mw: before,
    }) => [energy, factor, end, before].some((value) => value !== null),
  );
}

function rowOf(
  { period, hours, figures, registerBefore, register }: MonthToTell,
  source: Source,
): CapacityRow {
  const figure = figureOf(figures, source, hours);
  const isRegistered = (REGISTER_SOURCES as readonly Source[]).includes(source);
  const before = isRegistered ? (registerBefore[source as RegisterSource] ?? null) : null;
  const end = isRegistered ? (register[source as RegisterSource] ?? null) : null;
  const { derived } = figure;
  const isDecember = period.endsWith('-12');
  const both = isDecember && derived !== null && end !== null;
  return {
    period,
    source,
    hours,
    production_mwh: figure.production_mwh,
    load_factor: figure.load_factor,
    derived_mw: derived,
    register_before_mw: before,
    register_mw: end,
    difference_mw: both ? cents(derived - end) : null,
    ...chosen(isDecember ? end : null, derived, before),
  };
}

function chosen(
  register: number | null,
  derived: number | null,
  before: number | null,
): Pick<CapacityRow, 'capacity_mw' | 'capacity_from'> {
  if (register !== null) return { capacity_mw: register, capacity_from: 'register' };
  if (derived !== null) return { capacity_mw: derived, capacity_from: 'rte' };
  return { capacity_mw: before, capacity_from: before === null ? null : 'register_before' };
}

interface DerivedFigure extends MonthlyFigure {
  readonly derived: number | null;
}

function figureOf(figures: MonthlyFigures, source: Source, hours: number): DerivedFigure {
  if (source === 'eolien') return windTogether(figures, hours);
  if (!(RTE_SOURCES as readonly Source[]).includes(source))
    return { production_mwh: null, load_factor: null, derived: null };
  return derivedFrom(figures[source as RteSource], hours);
}

function derivedFrom(figure: MonthlyFigure | undefined, hours: number): DerivedFigure {
  const { production_mwh: energy = null, load_factor: factor = null } = figure ?? {};
  const isKnown = energy !== null && factor !== null && factor > 0;
  return {
    production_mwh: energy,
    load_factor: factor,
    derived: isKnown ? cents(energy / (factor * hours)) : null,
  };
}

/**
 * Land and sea together, where all that is told of the month is whole: before there were turbines
 * at sea nothing is told of them, and a part of what is told would be another figure.
 */
function windTogether(figures: MonthlyFigures, hours: number): DerivedFigure {
  const told = (['eolien_terrestre', 'eolien_en_mer'] as const).flatMap(
    (source) => figures[source] ?? [],
  );
  const parts = told.map((figure) => derivedFrom(figure, hours));
  const isWhole =
    figures.eolien_terrestre !== undefined && parts.every(({ derived }) => derived !== null);
  if (!isWhole) return { production_mwh: null, load_factor: null, derived: null };
  const energy = sum(parts.map(({ production_mwh: own }) => own));
  const derived = cents(sum(parts.map((part) => part.derived)));
  return { production_mwh: energy, load_factor: factorOf(energy, derived * hours), derived };
}

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** Six decimals of a share; null where nothing could have been produced. */
export function factorOf(energyMwh: number, capacityMwh: number): number | null {
  return capacityMwh > 0 ? Math.round((energyMwh / capacityMwh) * 1e6) / 1e6 : null;
}

function cents(value: number): number {
  return Math.round(value * 100) / 100;
}
