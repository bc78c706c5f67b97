/** Public-transport files in the publisher's forms, small. */

export const SURFACE_HEADER =
  'JOUR;CODE_STIF_TRNS;CODE_STIF_RES;CODE_STIF_LIGNE;LIBELLE_LIGNE;ID_GROUPOFLINES;CATEGORIE_TITRE;NB_VALD';
export const RAIL_HEADER =
  'jour;code_stif_trns;code_stif_res;code_stif_arret;libelle_arret;id_zdc;categorie_titre;nb_vald';
export const SERVICE_HEADER =
  'OperatorName;Theme;Indicateur;TransportMode;TransportSubmode;ID_Line;Name_Line;Trimestre;Annee;ResultatEnPourcentage;ResultatEnOccurrence;' +
  'Objectif référence contrat ;Penalite';

/** `JOUR;…`, one row per kind of ticket. */
export function surfaceRows(
  day: string,
  counts: Readonly<Record<string, string | number>>,
  line = '021',
): string[] {
  return Object.entries(counts).map(
    ([category, count]) => `${day};100;110;${line};Ligne ${line};A00${line};${category};${count}`,
  );
}

export function railRows(
  day: string,
  counts: Readonly<Record<string, string | number>>,
  stop = '862',
): string[] {
  return Object.entries(counts).map(
    ([category, count]) => `${day};100;110;${stop};TROCADERO;71285;${category};${count}`,
  );
}

export interface MadeIndicator {
  readonly quarter: string;
  readonly year: number;
  readonly result: string;
  readonly operator?: string;
  readonly mode?: string;
  readonly target?: string;
  readonly penalty?: string;
  readonly line?: string;
}

export function serviceRow({
  quarter,
  year,
  result,
  operator = 'RATP',
  mode = 'metro',
  target = '96.5',
  penalty = 'Non',
  line = '8',
}: MadeIndicator): string {
  return `${operator};Ponctualité;Offre aux heures de pointe;${mode};;C0137${line};${line};${quarter};${year};${result};;${target};${penalty}`;
}

export function table(header: string, rows: readonly string[]): string {
  return [header, ...rows, ''].join('\n');
}
