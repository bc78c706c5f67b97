import { LACKS_VALUES, ROWS_DISAGREE, SKIPPED } from '../../pipelines/kept-delivery.ts';

/** Why a part is as it was delivered before, for a French reader. */
export function keptBecause(code: string): string {
  if (code === SKIPPED) return 'un opérateur a renoncé à une nouvelle demande';
  if (code === LACKS_VALUES) return 'la dernière livraison est moins complète';
  if (code === ROWS_DISAGREE) return 'une livraison partielle contredit des valeurs connues';
  return `la nouvelle demande a échoué (${code})`;
}
