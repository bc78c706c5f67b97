import type { FluxReader, Linear, LinearTable } from './linear.ts';
import { unknownValue } from './linear.ts';
import { civilDayOf, instantOf, instantOfWallTime } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import { listAt, many, textAt, texts, treeAt } from './shape.ts';
import type { Shape, TreeObject } from './shape.ts';

/**
 * X12 and X13: requests to the distributor, with everything that happened to them so far. A row is
 * one milestone.
 */

const CODED = texts('@code');

/**
 * The guide draws the point and the milestones below the general data; files are seen with them
 * beside these.
 */
const POINT_AND_MILESTONES: Readonly<Record<string, Shape>> = {
  segment: { ...CODED },
  donneesPoint: { id: 'text', segment: { ...CODED } },
  jalons: {
    jalon: many({
      ...texts('@num', 'num', 'dateHeure', 'affaireDateEffet'),
      affaireEtat: { ...CODED },
    }),
  },
};

const OCCURRENCE: Readonly<Record<string, Shape>> = {
  '@id': 'text',
  donneesGenerales: { statut: { ...CODED }, ...POINT_AND_MILESTONES },
  ...POINT_AND_MILESTONES,
  demande: { donneesGenerales: { objet: { ...CODED } } },
};

/** A member of the affair, or of its general data. */
function eitherAt(record: TreeObject, ...path: readonly string[]): string | null {
  return textAt(record, 'donneesGenerales', ...path) ?? textAt(record, ...path);
}

function linearOf(direction: 'initiee' | 'recue', source: string): LinearTable['linear'] {
  return ({ occurrence, record }: DocumentRecord, document: string): Linear => {
    const milestones = [
      ...listAt(record, 'donneesGenerales', 'jalons', 'jalon'),
      ...listAt(record, 'jalons', 'jalon'),
    ];
    const rows = milestones.map((milestone, index) => ({
      id_affaire: textAt(record, '@id'),
      sens: direction,
      statut: textAt(treeAt(record, 'donneesGenerales', 'statut'), '@code'),
      pdl: eitherAt(record, 'donneesPoint', 'id'),
      segment:
        eitherAt(record, 'donneesPoint', 'segment', '@code') ??
        eitherAt(record, 'segment', '@code'),
      prestation: textAt(record, 'demande', 'donneesGenerales', 'objet', '@code'),
      num: numberOf(textAt(milestone, '@num') ?? textAt(milestone, 'num')),
      date_heure: timeOf(textAt(milestone, 'dateHeure')),
      affaire_date_effet: civilDayOf(textAt(milestone, 'affaireDateEffet')),
      affaire_etat: textAt(milestone, 'affaireEtat', '@code'),
      source,
      occurrence_id: `${document}#${occurrence}#${index + 1}`,
    }));
    return { rows };
  };
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function timeOf(text: string | null): string | null {
  return instantOf(text) ?? instantOfWallTime(text);
}

function reader(flux: 'X12' | 'X13', direction: 'initiee' | 'recue', title: string): FluxReader {
  return {
    shape: {
      xml: {
        roots: ['affaires', flux],
        head: { Version_XSD: 'text' },
        each: 'affaire',
        occurrence: OCCURRENCE,
      },
    },
    findings: ({ head, record }) => [
      ...unknownValue('unknown_version', 'the version', textAt(head, 'Version_XSD'), ['2.0.0']),
      ...unknownValue(
        'unknown_class',
        'the state',
        textAt(treeAt(record, 'donneesGenerales', 'statut'), '@code'),
        ['COURS', 'TERMN', 'ANNUL'],
      ),
    ],
    tables: [
      {
        name: flux.toLowerCase(),
        title,
        columns: {
          id_affaire: 'text',
          sens: 'text',
          statut: 'text',
          pdl: 'text',
          segment: 'text',
          prestation: 'text',
          num: 'integer',
          date_heure: 'text',
          affaire_date_effet: 'text',
          affaire_etat: 'text',
          source: 'text',
          occurrence_id: 'text',
        },
        personal: ['id_affaire', 'pdl'],
        linear: linearOf(direction, `flux_${flux}`),
      },
    ],
  };
}

/** One row a milestone of an affair that the supplier asked for. */
export const X12 = reader('X12', 'initiee', 'X12: affairs that the supplier began');
/** One row a milestone of an affair that somebody else asked for. */
export const X13 = reader('X13', 'recue', 'X13: affairs that others began');
