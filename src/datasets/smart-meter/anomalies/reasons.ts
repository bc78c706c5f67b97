import { SUSPICION_THRESHOLD } from './suspicion.ts';
import type { ToldSuspicion } from './suspicions-step.ts';

/** Why a meter is suspected, in sentences, and what would explain it honestly. */

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What the sentences are about; a ratio that is not known is null. */
export type Reasoned = Pick<
  ToldSuspicion,
  'shape' | 'zero_days' | 'confirmed' | 'missing_wh_per_day'
> &
  Readonly<Record<'use_ratio' | 'base_ratio' | 'evening_ratio', number | null>>;

/**
 * What speaks for the suspicion. Ratios are to the meter's own six weeks before, less what its
 * segment did meanwhile.
 */
export function reasonsFor(found: Reasoned): string[] {
  const {
    shape,
    use_ratio: use,
    base_ratio: base,
    evening_ratio: evening,
    zero_days: zeros,
    confirmed,
  } = found;
  const kwh = (found.missing_wh_per_day / 1000).toFixed(1).replace('.', ',');
  return [
    ...(use === null ? [] : [`usage à ${percent(use)} de l’habitude, trois semaines sur quatre`]),
    ...(base === null || shape !== 'all_day'
      ? []
      : [`talon à ${percent(base)} : une absence le laisserait tel quel`]),
    ...(evening === null || shape !== 'evening'
      ? []
      : [`soirée à ${percent(evening)}, le reste du jour comme avant`]),
    ...(shape === 'zeros' ? [`${zeros} jours à zéro en quatre semaines`] : []),
    ...(found.missing_wh_per_day > 0 ? [`il manque ${kwh} kWh par jour au compteur`] : []),
    confirmed === null
      ? 'le bilan du transformateur n’est pas connu : un indice de moins'
      : `le transformateur manque aussi de ${percent(Math.min(1, confirmed))} de cette énergie`,
  ];
}

/** Whether it is told to the operator: as high a week before. */
export function isTold({ lasting }: Pick<ToldSuspicion, 'lasting'>): boolean {
  return lasting >= SUSPICION_THRESHOLD;
}

/** None of these is a fault of the household. */
export const HONEST_REASONS = [
  'absence ou logement vacant',
  'économies, travaux, appareil remplacé',
  'production ou stockage chez soi',
  'changement d’occupant',
  'coupure du réseau',
  'compteur ou transmission en défaut',
  'erreur de la liste : le compteur est derrière un autre transformateur',
] as const;
