import type { Delivered } from '../decode/archive-name.ts';
import { X12, X13 } from './affairs.ts';
import { C12 } from './c12.ts';
import { C15 } from './c15.ts';
import { DEPASSEMENTS } from './depassements.ts';
import { GEL } from './gel.ts';
import { F12, F15 } from './invoices.ts';
import type { FluxReader, LinearTable } from './linear.ts';
import { R15 } from './r15.ts';
import { R151 } from './r151.ts';
import { R64 } from './r64.ts';
import { R67 } from './r67.ts';

/** How each flux is read; R15_ACC is a second table of R15. */
export const READERS: Readonly<Record<Delivered, FluxReader>> = {
  ...{ C15, R151, R15, R64, R67, F15, F12, C12, X12, X13 },
  ...{ DEPASSEMENTS, GEL },
};

/** The eleven linear tables, and those of given files. */
export const LINEAR_TABLES: readonly (LinearTable & { readonly flux: Delivered })[] = (
  Object.entries(READERS) as [Delivered, FluxReader][]
).flatMap(([flux, { tables }]) => tables.map((table) => ({ ...table, flux })));
