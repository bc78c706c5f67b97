import { PipelineError } from '../../kit/index.ts';
import type { Persons } from '../../kit/index.ts';

/** Where an occurrence names its delivery point, by flux: see `flux/`. */
const PLACES = [
  '$.Id_PRM',
  '$.Donnees_PRM.Id_PRM',
  '$.Identifiant',
  '$.idPrm',
  '$.pdl',
  '$.donneesGenerales.donneesPoint.id',
  '$.donneesPoint.id',
];

/**
 * Where an occurrence says which contract its delivery point has; contracts that nobody but the ERP
 * tells of may be another household's.
 */
const CONTRACTS = [
  '$.Situation_Contractuelle.Ref_Situation_Contractuelle',
  '$.Donnees_PRM.Ref_Situation_Contractuelle',
];

function firstOf(places: readonly string[]): string {
  return `coalesce(${places.map((place) => `json_extract_string(record, '${place}')`).join(', ')})`;
}

/**
 * A delivery point stands for the household behind it. Its number is what slices and tables know it
 * by; an invoice line may name its contract alone.
 */
export const deliveryPoints: Persons = {
  called: 'delivery point',
  keyOf(id) {
    if (/^\d{14}$/.test(id)) return Promise.resolve(id);
    const message =
      'a delivery point has a number of 14 digits; give it as the invoice does, without blanks';
    return Promise.reject(new PipelineError('INPUT_INVALID', message));
  },
  keySql: (_part, columns) =>
    columns.includes('reste')
      ? 'coalesce(pdl, ref_situation_contractuelle)'
      : columns.includes('record')
        ? firstOf(PLACES)
        : undefined,
  otherNameSql: (_part, columns) => (columns.includes('record') ? firstOf(CONTRACTS) : undefined),
};
