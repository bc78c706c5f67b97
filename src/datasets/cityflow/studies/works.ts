import type { WorksMetrics } from '../metrics/works.ts';
import { known, mean, rounded } from '../statistics.ts';

/** Roadworks of the day by district. */

/** By postcode. */
export interface DistrictWorks {
  readonly arrondissement: string;
  readonly nb_chantiers_actifs: number;
}

/** How much works weigh on the roadway of a district, by postcode. */
export interface DistrictCriticality {
  readonly arrondissement: string;
  /** Active works that change how traffic runs. */
  readonly nb_chantiers_chaussee: number;
  /** Of those whose outline is known, m². */
  readonly surface_moyenne: number | null;
  /** Works × mean area. */
  readonly score_criticite: number | null;
}

type Active = WorksMetrics['chantiers_actifs'][number];

function byDistrict(active: readonly Active[]): [string, Active[]][] {
  const districts = new Map<string, Active[]>();
  for (const work of active) {
    if (work.arrondissement === null) continue;
    districts.set(work.arrondissement, [...(districts.get(work.arrondissement) ?? []), work]);
  }
  return [...districts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Works without a district are left out. */
export function worksByDistrict({ chantiers_actifs: active }: WorksMetrics): DistrictWorks[] {
  return byDistrict(active).map(([arrondissement, own]) => ({
    arrondissement,
    nb_chantiers_actifs: own.length,
  }));
}

/** The list has works on the roadway and beside it: an impact on traffic tells those on it. */
export function criticality({ chantiers_actifs: active }: WorksMetrics): DistrictCriticality[] {
  return byDistrict(active.filter(({ impact }) => impact !== null)).map(([arrondissement, own]) => {
    const area = mean(known(own.map(({ surface_m2: surface }) => surface)));
    return {
      arrondissement,
      nb_chantiers_chaussee: own.length,
      surface_moyenne: area === null ? null : rounded(area, 2),
      score_criticite: area === null ? null : rounded(own.length * area, 2),
    };
  });
}
