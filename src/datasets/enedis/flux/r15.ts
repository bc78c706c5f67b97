import type { FluxReader, Linear, LinearColumns, LinearRow, LinearTable } from './linear.ts';
import { natureOf, readingId, registerColumns, registerValues, unknownValue } from './linear.ts';
import { indexesOf, isIndex, MEASURED_CLASS, readingFindings } from './measured-classes.ts';
import { instantOf, wallTimeOf } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Register } from './registers.ts';
import { registerOf, wholeKwh } from './registers.ts';
import { listAt, many, textAt, texts } from './shape.ts';
import type { TreeObject } from './shape.ts';

/**
 * R15: readings with their motive, and from the same files R15_ACC, the energies of collective
 * self-consumption.
 */

const SOURCE = 'flux_R15';
const ACC_SOURCE = 'flux_R15_ACC';

/** The energies of self-consumption by class of measure. */
const ACC_CLASSES = {
  '3': 'ea_autoproduite',
  '4': 'ea_alloproduite',
  '5': 'ea_autoconsommee',
  '6': 'ea_surplus',
} as const;

const IDENTITY: LinearColumns = {
  releve_id: 'text',
  id_releve: 'text',
  nature_index: 'text',
  source: 'text',
  ordre_index: 'boolean',
  unite: 'text',
  precision: 'text',
  id_calendrier_distributeur: 'text',
  id_calendrier_fournisseur: 'text',
  pdl: 'text',
  date_releve: 'text',
  ref_situation_contractuelle: 'text',
  type_compteur: 'text',
  motif_releve: 'text',
  statut_releve: 'text',
  niveau_ouverture_services: 'text',
  ref_demandeur: 'text',
  id_affaire: 'text',
  occurrence_id: 'text',
};

function identityOf(
  { occurrence, record }: DocumentRecord,
  reading: TreeObject,
  position: string,
  source: string,
) {
  const pdl = textAt(record, 'Id_PRM');
  const date = instantOf(textAt(reading, 'Date_Releve'));
  if (pdl === null || date === null) return undefined;
  return {
    releve_id: readingId(source, pdl, wallTimeOf(date), 'false'),
    id_releve: textAt(reading, 'Id_Releve'),
    nature_index: natureOf(textAt(reading, 'Nature_Index')),
    source,
    ordre_index: false,
    unite: 'kWh',
    precision: 'kWh',
    id_calendrier_distributeur: textAt(reading, 'Id_Calendrier_Distributeur'),
    id_calendrier_fournisseur: textAt(reading, 'Id_Calendrier'),
    pdl,
    date_releve: date,
    ref_situation_contractuelle: textAt(reading, 'Ref_Situation_Contractuelle'),
    type_compteur: textAt(reading, 'Type_Compteur'),
    motif_releve: textAt(reading, 'Motif_Releve'),
    statut_releve: textAt(reading, 'Statut_Releve'),
    niveau_ouverture_services: textAt(reading, 'Niveau_Ouverture_Services'),
    ref_demandeur: textAt(reading, 'Ref_Demandeur'),
    id_affaire: textAt(reading, 'Id_Affaire'),
    occurrence_id: position.replace('#', `#${occurrence}#`),
  };
}

/** Old meters have no classes of the distributor. */
function classesOf(reading: TreeObject): readonly TreeObject[] {
  const own = listAt(reading, 'Classe_Temporelle_Distributeur');
  return own.length === 0 ? listAt(reading, 'Classe_Temporelle') : own;
}

function eachReading(
  source: string,
  valuesOf: (
    reading: TreeObject,
    record: TreeObject,
  ) => { readonly values: LinearRow; readonly dropped: number },
): LinearTable['linear'] {
  return (record, document): Linear => {
    const leftOut = { registers: 0, undated: 0 };
    const rows = listAt(record.record, 'Donnees_Releve').flatMap((reading, index) => {
      const identity = identityOf(record, reading, `${document}#${index + 1}`, source);
      if (identity === undefined) {
        leftOut.undated += 1;
        return [];
      }
      const { values, dropped } = valuesOf(reading, record.record);
      leftOut.registers += dropped;
      return [{ ...identity, ...values }];
    });
    return { rows, leftOut };
  };
}

const R15_TABLE: LinearTable = {
  name: 'r15',
  title: 'R15: readings of events and cycles',
  columns: {
    ...IDENTITY,
    ...registerColumns('index_'),
    ...registerColumns('index_precedent_'),
    date_releve_precedent: 'text',
    num_compteur: 'text',
    nb_chiffres_cadran: 'integer',
    passage_a_zero: 'boolean',
  },
  personal: [
    'pdl',
    'ref_situation_contractuelle',
    'num_compteur',
    'id_affaire',
    'id_releve',
    'ref_demandeur',
  ],
  linear: eachReading(SOURCE, (reading) => {
    const indexes = indexesOf(classesOf(reading));
    return {
      values: {
        ...registerValues('index_', indexes.values),
        ...registerValues('index_precedent_', indexes.previous),
        date_releve_precedent: instantOf(textAt(reading, 'Date_Releve_Precedent')),
        num_compteur: indexes.serial,
        nb_chiffres_cadran: indexes.digits,
        passage_a_zero: indexes.passedZero,
      },
      dropped: indexes.dropped,
    };
  }),
};

const ACC_NAMES = Object.values(ACC_CLASSES);

const R15_ACC_TABLE: LinearTable = {
  name: 'r15_acc',
  title: 'R15_ACC: energies of collective self-consumption; readings without them stay',
  columns: {
    ...IDENTITY,
    autoconsommation_collective: 'text',
    ...Object.fromEntries(
      ACC_NAMES.flatMap((name) => Object.entries(registerColumns(`${name}_index_`))),
    ),
  },
  personal: ['pdl', 'ref_situation_contractuelle', 'id_affaire', 'id_releve', 'ref_demandeur'],
  linear: eachReading(ACC_SOURCE, (reading, record) => {
    const energies = new Map(ACC_NAMES.map((name) => [name, new Map<Register, number>()]));
    let dropped = 0;
    for (const measured of classesOf(reading)) {
      const name = ACC_CLASSES[textAt(measured, 'Classe_Mesure') as keyof typeof ACC_CLASSES];
      const register = registerOf(textAt(measured, 'Id_Classe_Temporelle'));
      const value = wholeKwh(textAt(measured, 'Valeur'), textAt(measured, 'Unite_Mesure'));
      const own = energies.get(name);
      if (own === undefined || value === null) continue;
      if (register === undefined) dropped += 1;
      else if (!own.has(register)) own.set(register, value);
    }
    const values = [...energies].map(([name, own]) => registerValues(`${name}_index_`, own));
    const shared =
      textAt(reading, 'Autoconsommation_Collective') ??
      textAt(record, 'Autoconsommation_Collective');
    return {
      values: Object.assign({ autoconsommation_collective: shared }, ...values) as LinearRow,
      dropped,
    };
  }),
};

/** Version 2.3.2; an unknown state, unit or calendar is a finding. */
export const R15: FluxReader = {
  shape: {
    xml: {
      roots: ['R15'],
      head: { Version_XSD: 'text' },
      each: 'PRM',
      occurrence: {
        ...texts('Id_PRM', 'Autoconsommation_Collective'),
        Donnees_Releve: many({
          ...texts(
            'Id_Releve',
            'Date_Releve',
            'Ref_Situation_Contractuelle',
            'Id_Calendrier_Distributeur',
          ),
          ...texts(
            'Id_Calendrier',
            'Niveau_Ouverture_Services',
            'Type_Compteur',
            'Statut_Releve',
            'Motif_Releve',
          ),
          ...texts('Nature_Index', 'Ref_Demandeur', 'Id_Affaire', 'Date_Releve_Precedent'),
          ...texts('Autoconsommation_Collective'),
          Classe_Temporelle_Distributeur: MEASURED_CLASS,
          Classe_Temporelle: MEASURED_CLASS,
        }),
      },
    },
  },
  findings: ({ head, record }) => [
    ...unknownValue('unknown_version', 'the version', textAt(head, 'Version_XSD'), ['2.3.2']),
    ...listAt(record, 'Donnees_Releve').flatMap((reading) => [
      ...readingFindings(
        textAt(reading, 'Id_Calendrier_Distributeur'),
        classesOf(reading).filter(isIndex),
      ),
      ...unknownValue('unknown_class', 'the state', textAt(reading, 'Statut_Releve'), [
        'INITIAL',
        'RECTIFICATIF',
      ]),
    ]),
  ],
  tables: [R15_TABLE, R15_ACC_TABLE],
};
