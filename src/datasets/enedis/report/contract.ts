import { quoteText } from '../../kit/index.ts';
import type { NameRows, SqlSession } from '../../kit/index.ts';
import { FOUR_POWERS, registerLabel, REGISTERS } from '../flux/registers.ts';
import { formerUnitSql } from '../model/unit-names.ts';

/**
 * Everything that is known of one contract, for the page that only its operator sees. Dates and
 * times are text in Paris.
 */

/** An event, or the first of a month (FACTURATION), with what held from then on. */
export interface ContractEvent {
  readonly date: string;
  readonly evenement: string;
  readonly formule: string | null;
  readonly puissance_kva: number | null;
  /** The four powers above 36 kVA; null below. */
  readonly puissances: string | null;
  readonly niveau: string | null;
}

/** A month with its amounts, in euros. */
export interface ContractMonth {
  readonly mois: string;
  readonly qualite: string;
  readonly energie_kwh: number | null;
  readonly turpe_fixe_eur: number | null;
  readonly turpe_variable_eur: number | null;
  readonly cta_eur: number | null;
  readonly est_retenu: boolean;
  /** Of a person, on a month that looked wrong: acceptée or rejetée. */
  readonly decision: string | null;
  /** Of an estimate that a person accepted. */
  readonly methode_estimation: string | null;
  /** Stays as it was invoiced, from this version of the history. */
  readonly est_gele: boolean;
  readonly version_facturee: number | null;
  readonly memo_puissance: string | null;
  readonly erreur: string | null;
}

/** A span of one power and formula, `[debut, fin)`. */
export interface ContractSubscription {
  readonly debut: string;
  readonly fin: string;
  readonly nb_jours: number;
  readonly formule: string | null;
  readonly puissance_kva: number | null;
  readonly puissances: string | null;
  readonly turpe_fixe_eur: number | null;
  readonly erreur: string | null;
}

/**
 * Registers and what they show or counted, such as `HP 120 · HC 40`; null where nothing is known.
 */
type Registers = string | null;

/** A bound of an energy period: the reading, or that there is none. */
export interface ContractBound {
  readonly id: string | null;
  readonly source: string | null;
  readonly nature: string | null;
  readonly index: Registers;
}

/** What was used between two readings, `[debut, fin)`. */
export interface ContractEnergy {
  readonly mois: string;
  readonly debut: string;
  readonly fin: string;
  readonly nb_jours: number;
  readonly from: ContractBound;
  readonly to: ContractBound;
  readonly energie: Registers;
  readonly turpe_variable_eur: number | null;
  readonly qualite: string;
  /** What is odd about it, in French. */
  readonly remarques: string;
}

/** A reading and where it was delivered. */
export interface ContractReading {
  readonly id: string;
  readonly date: string;
  readonly source: string;
  readonly nature: string | null;
  readonly apres: boolean;
  readonly evenement: string | null;
  readonly calendrier: string | null;
  readonly index: Registers;
  readonly occurrence: string | null;
}

/** An invoice line beside what was measured. */
export interface ContractLine {
  readonly mois: string | null;
  readonly categorie: string | null;
  readonly quantite: number | null;
  readonly est_brouillon: boolean;
  readonly quantite_enedis: number | null;
  readonly a_facturer: boolean;
  readonly a_supprimer: boolean;
  readonly memo: string | null;
}

/** A period that holds its month until a person decides. */
export interface ContractHold {
  readonly unite: string;
  readonly motif: string;
  readonly debut: string;
  readonly fin: string;
  readonly energie_kwh: number | null;
  readonly index_debut: string | null;
  readonly index_fin: string | null;
  readonly decision: string | null;
}

/** A span without a reading, with the energy that is estimated for it. */
export interface ContractEstimate {
  readonly unite: string | null;
  readonly debut: string;
  readonly fin: string;
  readonly methode: string;
  /** What the estimate rests on, in French. */
  readonly appui: string;
  readonly energie: Registers;
  readonly turpe_variable_eur: number | null;
  readonly decision: string | null;
}

/** What the network asks for a month and component, in euros, beside what was calculated. */
export interface ContractInvoice {
  readonly mois: string;
  readonly composante: string;
  readonly libelles: string | null;
  readonly facture_eur: number;
  readonly calcule_eur: number | null;
  readonly ecart_eur: number | null;
  /** The difference in parts, or why there is none, in French. */
  readonly explication: string | null;
}

/**
 * What a smoothed contract has to settle in a month, in kWh; \`ecart\` is null while a month is
 * missing.
 */
export interface ContractSettlement {
  readonly unite: string | null;
  readonly mois: string;
  readonly debut_lissage: string;
  readonly categorie: string;
  readonly facture: number | null;
  readonly calcule: number | null;
  readonly ecart: number | null;
  readonly mois_manquants: number;
  readonly decision: string | null;
}

/**
 * A part of a frozen month that is no longer what was invoiced, in `unite`; `ecart` is null while
 * it waits.
 */
export interface ContractChange {
  readonly mois: string;
  readonly composante: string;
  readonly unite: string;
  readonly facture: number | null;
  readonly calcule: number | null;
  readonly ecart: number | null;
  readonly gele_le: string;
  readonly gele_par: string;
  readonly cause: string | null;
}

/** All of one contract (RSC). */
export interface Contract {
  readonly rsc: string;
  readonly pdl: string;
  readonly events: readonly ContractEvent[];
  readonly months: readonly ContractMonth[];
  readonly subscriptions: readonly ContractSubscription[];
  readonly energies: readonly ContractEnergy[];
  readonly readings: readonly ContractReading[];
  readonly lines: readonly ContractLine[];
  readonly holds: readonly ContractHold[];
  readonly estimates: readonly ContractEstimate[];
  readonly invoices: readonly ContractInvoice[];
  readonly settlements: readonly ContractSettlement[];
  readonly changes: readonly ContractChange[];
}

/** The tables that a contract is read from. */
export const CONTRACT_TABLES = [
  ...[
    'enedis_mois',
    'enedis_echine',
    'enedis_abonnements',
    'enedis_energies',
    'enedis_releves',
    'enedis_lignes',
  ],
  ...[
    'enedis_retenus',
    'enedis_regularisations',
    'enedis_reperes',
    'enedis_estimations',
    'enedis_controle_reseau',
    'enedis_lissages',
  ],
] as const;

function registersOf(prefix: string, alias = ''): string {
  const texts = REGISTERS.map((register) => {
    return `'${registerLabel(register)} ' || CAST(${alias}${prefix}${register}_kwh AS VARCHAR)`;
  });
  return `nullif(concat_ws(' · ', ${texts.join(', ')}), '')`;
}

/** `54 / 54 / 60 / 60`. */
const POWERS = `CASE
  WHEN ${FOUR_POWERS.join(' + ')} IS NOT NULL THEN concat_ws(' / ', ${FOUR_POWERS.map(
    (name) => `regexp_replace(CAST(${name} AS VARCHAR), '\\.?0+$', '')`,
  ).join(', ')}) END AS puissances`;

/** A month of a contract under its pseudonym, as reports and holds name it. */
const UNIT = /^(\d{4}-\d{2})\/[0-9a-f]{12}$/;

/**
 * The contracts of an RSC, of a delivery point or of the pseudonym of a month (that of an earlier
 * version too), in the order of their first event.
 */
export async function contractsOf(
  sql: SqlSession,
  id: string,
  nameRows: NameRows,
): Promise<Contract[]> {
  const [, month] = UNIT.exec(id) ?? [];
  const rsc = 'ref_situation_contractuelle';
  const unit =
    month === undefined
      ? 'false'
      : `(${rsc} IN (${(await contractsNamed(sql, id, month, nameRows)).map(quoteText).join(', ') || 'NULL'}) OR ${rsc} IN (SELECT ${rsc} FROM enedis_reperes WHERE unite = ${quoteText(id)})
           OR ${formerUnitSql(rsc, quoteText(month))} = ${quoteText(id)})`;
  const found = await sql.rows<{ rsc: string; pdl: string }>(
    `SELECT ref_situation_contractuelle AS rsc, min(pdl) AS pdl FROM enedis_echine
     WHERE ref_situation_contractuelle = ${quoteText(id)} OR
       pdl = ${quoteText(id)} OR ${unit} GROUP BY 1 ORDER BY min(date_evenement), 1`,
  );
  const contracts: Contract[] = [];
  for (const one of found) contracts.push(await contractOf(sql, one));
  return contracts;
}

/**
 * The contracts of the months with a pseudonym: `enedis_reperes` has those that somebody has to
 * look at, a difference of versions tells of others.
 */
async function contractsNamed(
  sql: SqlSession,
  id: string,
  month: string,
  nameRows: NameRows,
): Promise<string[]> {
  const rows = await sql.rows<{ ref_situation_contractuelle: string; mois: string }>(
    `SELECT ref_situation_contractuelle, mois FROM enedis_mois WHERE mois = ${quoteText(month)}`,
  );
  const names = await nameRows(rows);
  return rows
    .filter((_row, index) => names[index] === id)
    .map((row) => row.ref_situation_contractuelle);
}

async function contractOf(
  sql: SqlSession,
  { rsc, pdl }: { readonly rsc: string; readonly pdl: string },
): Promise<Contract> {
  const own = `ref_situation_contractuelle = ${quoteText(rsc)}`;
  const energies = await energiesOf(sql, own);
  return {
    rsc,
    pdl,
    events: await sql.rows(
      `SELECT date_evenement AS date, evenement, formule_tarifaire_acheminement AS formule,
        puissance_souscrite_kva AS puissance_kva,
         ${POWERS}, niveau_ouverture_services AS niveau FROM enedis_echine
           WHERE ${own} ORDER BY CAST(date_evenement AS TIMESTAMPTZ), evenement = 'FACTURATION'`,
    ),
    months: await sql.rows(
      `SELECT mois, qualite, energie_base_kwh AS energie_kwh, turpe_fixe_eur, turpe_variable_eur,
        cta_eur, est_retenu, decision, methode_estimation, est_gele, version_facturee,
         memo_puissance, erreur
       FROM enedis_mois WHERE ${own} ORDER BY mois DESC`,
    ),
    subscriptions: await sql.rows(
      `SELECT CAST(debut AS VARCHAR) AS debut, CAST(fin AS VARCHAR) AS fin, nb_jours,
        formule_tarifaire_acheminement AS formule,
         puissance_souscrite_kva AS puissance_kva, ${POWERS}, turpe_fixe_eur, erreur
           FROM enedis_abonnements WHERE ${own} ORDER BY debut`,
    ),
    energies,
    readings: await readingsOf(sql, {
      rsc,
      pdl,
      used: energies.flatMap(({ from, to }) => [from.id, to.id]),
    }),
    lines: await sql.rows(
      `SELECT mois, categorie, quantite, est_brouillon, quantite_enedis, a_facturer, a_supprimer,
        memo FROM enedis_lignes WHERE ${own}
       ORDER BY mois, campagne, fichier, ligne`,
    ),
    holds: await sql.rows(
      `SELECT unite, motif, CAST(debut AS VARCHAR) AS debut, CAST(fin AS VARCHAR) AS fin,
        energie_kwh, nullif(index_debut, '') AS index_debut,
         nullif(index_fin, '') AS index_fin, decision
       FROM enedis_retenus WHERE ${own} ORDER BY unite, debut`,
    ),
    estimates: await sql.rows(
      `SELECT unite, CAST(debut AS VARCHAR) AS debut, CAST(fin AS VARCHAR) AS fin,
        methode_estimation AS methode, appui, ${registersOf('energie_')} AS energie,
         turpe_variable_eur, decision FROM enedis_estimations WHERE ${own} ORDER BY debut`,
    ),
    settlements: await sql.rows(
      `SELECT unite, mois, debut_lissage, categorie, facture, calcule, ecart, mois_manquants,
        decision FROM enedis_lissages WHERE ${own} ORDER BY mois, categorie`,
    ),
    invoices: await sql.rows(
      `SELECT mois, composante, libelles, facture_eur, calcule_eur, ecart_eur,
        coalesce(sans_comparaison, nullif(concat_ws(' ; ',
         CASE WHEN ecart_jours_eur <> 0 THEN 'jours ' || ecart_jours_eur END, CASE
           WHEN ecart_puissance_eur <> 0 THEN 'puissance ' || ecart_puissance_eur END,
         CASE WHEN ecart_index_eur <> 0 THEN 'index ' || ecart_index_eur END, CASE
           WHEN ecart_taux_eur <> 0 THEN 'taux ' || ecart_taux_eur END), '')) AS explication
       FROM enedis_controle_reseau WHERE ${own} OR
         (ref_situation_contractuelle IS NULL AND pdl = ${quoteText(pdl)}) ORDER BY mois,
         composante`,
    ),
    changes: await sql.rows(
      `SELECT mois, composante, unite, facture, calcule, ecart, gele_le, gele_par, cause
        FROM enedis_regularisations
       WHERE ${own} OR (ref_situation_contractuelle IS NULL AND pdl = ${quoteText(pdl)})
       ORDER BY mois, composante`,
    ),
  };
}

const REMARKS = `concat_ws(' ; ', CASE WHEN releve_manquant THEN 'relevé manquant' END, CASE
  WHEN est_passage_a_zero THEN 'passage à zéro' END,
  CASE WHEN est_baisse_inconnue THEN 'index en baisse' END, CASE WHEN est_saut THEN 'saut' END,
  CASE WHEN est_partage THEN 'sur deux barèmes' END, erreur)`;

async function energiesOf(sql: SqlSession, own: string): Promise<ContractEnergy[]> {
  // A reading belongs to the contract that it names, or to the point where it names none.
  const bound = (alias: string): string =>
    `LEFT JOIN enedis_releves ${alias} ON ${alias}.releve_id = e.${alias}_releve_id
      AND ${alias}.pdl = e.pdl
       AND coalesce(${alias}.ref_situation_contractuelle,
       e.ref_situation_contractuelle) = e.ref_situation_contractuelle`;
  const rows = await sql.rows<Record<string, never>>(
    `SELECT e.mois, CAST(e.debut AS VARCHAR) AS debut, CAST(e.fin AS VARCHAR) AS fin, e.nb_jours,
      e.turpe_variable_eur, e.qualite,
       ${registersOf('energie_', 'e.')} AS energie, ${REMARKS.replaceAll(/\b(releve_manquant|est_\w+|erreur)\b/g, 'e.$1')} AS remarques,
       {'id': e.d_releve_id, 'source': e.d_source, 'nature': e.nature_debut,
       'index': ${registersOf('index_', 'd.')}} AS "from",
       {'id': e.f_releve_id, 'source': e.f_source, 'nature': e.nature_fin,
       'index': ${registersOf('index_', 'f.')}} AS "to"
     FROM enedis_energies e ${bound('d')} ${bound('f')}
     WHERE e.${own} ORDER BY e.debut, e.fin`,
  );
  return rows as unknown as ContractEnergy[];
}

/** The readings that an energy was made of, and those of the contract's own events. */
async function readingsOf(
  sql: SqlSession,
  {
    rsc,
    pdl,
    used,
  }: { readonly rsc: string; readonly pdl: string; readonly used: readonly (string | null)[] },
): Promise<ContractReading[]> {
  const ids = used.flatMap((id) => (id === null ? [] : [quoteText(id)]));
  const isUsed = ids.length === 0 ? 'false' : `releve_id IN (${[...new Set(ids)].join(', ')})`;
  return sql.rows(
    `SELECT releve_id AS id, date_releve AS date, source, nature_index AS nature,
      coalesce(ordre_index, false) AS apres,
       evenement_declencheur AS evenement,
       id_calendrier_distributeur AS calendrier, ${registersOf('index_')} AS index,
       occurrence_id AS occurrence
     FROM enedis_releves WHERE pdl = ${quoteText(pdl)}
       AND (ref_situation_contractuelle = ${quoteText(rsc)} OR
         (ref_situation_contractuelle IS NULL AND ${isUsed}))
     ORDER BY CAST(date_releve AS TIMESTAMPTZ), apres, source, id`,
  );
}
