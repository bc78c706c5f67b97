import { LACKS_VALUES, ROWS_DISAGREE, SKIPPED } from '../../pipelines/kept-delivery.ts';
import type { UnansweredNote } from '../../pipelines/unanswered.ts';

/** What is said of a part of which nothing came because its publisher was not heard. */
export const UNANSWERED_WORDS: Readonly<Record<UnansweredNote['code'], string>> = {
  NOT_ANSWERED: 'le diffuseur n’a pas répondu',
  NOT_USABLE: 'la réponse du diffuseur n’a pas pu être prise',
};

/** Why a part is as it was delivered before, for a French reader. */
export function keptBecause(code: string): string {
  if (code === SKIPPED) return 'un opérateur a renoncé à une nouvelle demande';
  if (code === LACKS_VALUES) return 'la dernière livraison est moins complète';
  if (code === ROWS_DISAGREE) return 'une livraison partielle contredit des valeurs connues';
  return `la nouvelle demande a échoué (${code})`;
}
