import { createHash } from 'node:crypto';
import type { FluxRow } from './flux-text.ts';
import { instantOfWallTime, wallTimeOf } from './paris-time.ts';

/** What an invented supplier should find in the flux of its distributor, one row an occurrence. */

/** kWh by register; a register that is not there was not read. */
export type Indexes = Partial<Record<'base' | 'hp' | 'hc' | 'hph' | 'hch' | 'hpb' | 'hcb', number>>;

/** What readers must find, flux by flux; hours over the subscribed power come from elsewhere. */
export interface SupplierRows {
  readonly c15: FluxRow[];
  readonly r151: FluxRow[];
  readonly r64: FluxRow[];
  readonly c12: FluxRow[];
  readonly depassements: { rsc: string; mois: string; heures: number }[];
}

/** To be filled. */
export function emptySupplier(): SupplierRows {
  return { c15: [], r151: [], r64: [], c12: [], depassements: [] };
}

const DELIVERY = {
  archive: 'A_20251101050000.zip',
  archive_sha256: 'a',
  archive_timestamp: '20251101050000',
  document: 'd.xml',
};

/** The distributor's calendar with as many registers: four, two or one. */
export function calendarOf(indexes: Indexes): string {
  return indexes.hph !== undefined || indexes.hpb !== undefined
    ? 'DI000003'
    : indexes.hp !== undefined
      ? 'DI000002'
      : 'DI000001';
}

/** What is not given is as with most customers: 6 kVA, `BTINFCUST`, level 2. */
export interface EventOptions {
  readonly pdl: string;
  readonly rsc?: string;
  /** Wall time in Paris, `2025-09-05 00:01:00`; a bare day is at 00:01. */
  readonly at: string;
  readonly event: string;
  readonly fta?: string | null;
  readonly kva?: string | null;
  readonly niveau?: string | null;
  readonly before?: Indexes;
  readonly after?: Indexes;
  readonly digits?: number;
  readonly nature?: string;
  readonly delivery?: Partial<typeof DELIVERY>;
}

function sideRow(side: string, indexes: Indexes | undefined, options: EventOptions): FluxRow {
  if (indexes === undefined) return {};
  return {
    ...Object.fromEntries(
      Object.entries(indexes).map(([register, value]) => [`${side}_index_${register}_kwh`, value]),
    ),
    [`${side}_nature_index`]: options.nature ?? 'REEL',
    [`${side}_id_calendrier_distributeur`]: calendarOf(indexes),
    [`${side}_nb_chiffres_cadran`]: options.digits ?? 6,
  };
}

/** A row of C15; indexes before and after it only where they are given. */
export function event(options: EventOptions): FluxRow {
  const wall = options.at.length === 10 ? `${options.at} 00:01:00` : options.at;
  return {
    pdl: options.pdl,
    ref_situation_contractuelle: options.rsc ?? `R${options.pdl}`,
    segment_clientele: 'C5',
    formule_tarifaire_acheminement: options.fta === undefined ? 'BTINFCUST' : options.fta,
    puissance_souscrite_kva: options.kva === undefined ? '6.0' : options.kva,
    niveau_ouverture_services: options.niveau === undefined ? '2' : options.niveau,
    evenement_declencheur: options.event,
    type_evenement: 'CONTRAT',
    date_evenement: instantOfWallTime(wall),
    ...sideRow('avant', options.before, options),
    ...sideRow('apres', options.after, options),
    occurrence_id: `d.xml#${options.pdl}#${wall}`,
    ...DELIVERY,
    ...options.delivery,
  };
}

/** What suppliers call a reading by: 16 digits of md5 over what makes it the same reading. */
function readingId(
  ...identity: readonly [source: string, pdl: string, date: string, discriminant: string]
): string {
  return createHash('md5').update(identity.join('|')).digest('hex').slice(0, 16);
}

/** A daily reading that counts at the first moment of `day`, in whole kWh. */
export function daily(
  pdl: string,
  day: string,
  indexes: Indexes,
  delivery: Partial<typeof DELIVERY> = {},
): FluxRow {
  const ended = new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  return {
    releve_id: readingId('flux_R151', pdl, ended, 'false'),
    nature_index: 'réel',
    date_releve: instantOfWallTime(`${day} 00:00:00`),
    source: 'flux_R151',
    ordre_index: false,
    pdl,
    id_calendrier_distributeur: calendarOf(indexes),
    ...Object.fromEntries(
      Object.entries(indexes).map(([register, value]) => [`index_${register}_kwh`, value]),
    ),
    indice_vraisemblance: 0,
    occurrence_id: `d.xml#${pdl}#${day}`,
    ...DELIVERY,
    ...delivery,
  };
}

/** A reading on demand at the first moment of `day`. */
export function onDemand(
  pdl: string,
  day: string,
  indexes: Indexes,
  etape = 'BRUT',
  delivery = {},
): FluxRow {
  const at = instantOfWallTime(`${day} 00:00:00`);
  return {
    ...daily(pdl, day, indexes),
    releve_id: readingId('flux_R64', pdl, wallTimeOf(at), 'AQ'),
    source: 'flux_R64',
    type_releve: 'AQ',
    etape_metier: etape,
    nature_index: etape === 'CORR' ? 'corrigé' : 'réel',
    ...delivery,
  };
}

/**
 * A contract of segments C2 to C4 as it is from a day on, with four powers in the order hph, hch,
 * hpb, hcb.
 */
export function powers(
  pdl: string,
  day: string,
  kva: readonly [number, number, number, number],
  { debut = day, nature = 'MDPRM' } = {},
): FluxRow {
  const [hph, hch, hpb, hcb] = kva.map(String);
  return {
    pdl,
    date_evenement: day,
    date_debut: debut,
    date_fin: null,
    nature_evenement: nature,
    formule_tarifaire_acheminement: 'BTSUPCU',
    puissance_souscrite_hph_kva: hph ?? null,
    puissance_souscrite_hch_kva: hch ?? null,
    puissance_souscrite_hpb_kva: hpb ?? null,
    puissance_souscrite_hcb_kva: hcb ?? null,
    source: 'flux_C12',
    occurrence_id: `d.xml#${pdl}#${day}`,
    ...DELIVERY,
    document: `c12-${pdl}-${day}.xml`,
  };
}
