import type { FluxReader, Linear, LinearColumns, LinearTable } from './linear.ts';
import { readingId, registerColumns, registerValues, unknownValue } from './linear.ts';
import { civilDayOf, endOfDay } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Register } from './registers.ts';
import { isKnownCalendar, registerOf, UNUSABLE_CALENDARS, wholeKwh } from './registers.ts';
import { listAt, many, textAt, texts } from './shape.ts';
import type { TreeObject } from './shape.ts';

/**
 * R151: indexes of every evening. `Date_Releve` is the day that the reading ENDS: it counts at the
 * next midnight.
 */

/** The value of `source` in the readings that come from it. */
export const R151_SOURCE = 'flux_R151';

const COLUMNS: LinearColumns = {
  releve_id: 'text',
  nature_index: 'text',
  date_releve: 'text',
  source: 'text',
  ordre_index: 'boolean',
  precision: 'text',
  pdl: 'text',
  id_calendrier_fournisseur: 'text',
  id_calendrier_distributeur: 'text',
  id_affaire: 'text',
  unite: 'text',
  occurrence_id: 'text',
  ...registerColumns('index_'),
  indice_vraisemblance: 'integer',
};

function linear({ occurrence, head, record }: DocumentRecord, document: string): Linear {
  const leftOut = { registers: 0, unusable_calendars: 0, undated: 0 };
  const rows = listAt(record, 'Donnees_Releve').flatMap((reading, index) => {
    const calendar = textAt(reading, 'Id_Calendrier_Distributeur');
    const day = civilDayOf(textAt(reading, 'Date_Releve'));
    const pdl = textAt(record, 'Id_PRM');
    if (calendar !== null && UNUSABLE_CALENDARS.includes(calendar)) leftOut.unusable_calendars += 1;
    else if (day === null || pdl === null) leftOut.undated += 1;
    else {
      const unit = textAt(head, 'Unite_Mesure_Index');
      const classes = listAt(reading, 'Classe_Temporelle_Distributeur');
      const indexes = indexesIn(classes, unit);
      leftOut.registers += classes.length - indexes.size;
      const kwh = unit === 'Wh' ? 'kWh' : unit;
      const row = {
        releve_id: readingId(R151_SOURCE, pdl, day, 'false'),
        nature_index: 'réel',
        date_releve: endOfDay(day),
        source: R151_SOURCE,
        ordre_index: false,
        precision: kwh,
        pdl,
        id_calendrier_fournisseur: textAt(reading, 'Id_Calendrier_Fournisseur'),
        id_calendrier_distributeur: calendar,
        id_affaire: textAt(reading, 'Id_Affaire'),
        unite: kwh,
        occurrence_id: `${document}#${occurrence}#${index + 1}`,
        ...registerValues('index_', indexes),
        indice_vraisemblance: plausibility(classes),
      };
      return [row];
    }
    return [];
  });
  return { rows, leftOut };
}

function indexesIn(classes: readonly TreeObject[], unit: string | null): Map<Register, number> {
  const indexes = new Map<Register, number>();
  for (const one of classes) {
    const register = registerOf(textAt(one, 'Id_Classe_Temporelle'));
    const value = wholeKwh(textAt(one, 'Valeur'), unit);
    if (register !== undefined && value !== null && !indexes.has(register))
      indexes.set(register, value);
  }
  return indexes;
}

/** 1 when the distributor doubts one of the indexes. */
function plausibility(classes: readonly TreeObject[]): number {
  return classes.some((one) => textAt(one, 'Indice_Vraisemblance') === '1') ? 1 : 0;
}

/** One row a meter and evening; the reading counts at the midnight after its date. */
export const R151_TABLE: LinearTable = {
  name: 'r151',
  title: 'R151: daily indexes by subscription',
  columns: COLUMNS,
  personal: ['pdl', 'id_affaire', 'releve_id', 'occurrence_id'],
  linear,
};

/** Version V1, indexes in Wh; another unit or calendar is a finding, and nothing is guessed. */
export const R151: FluxReader = {
  shape: {
    xml: {
      roots: ['R151'],
      head: texts('Version_XSD', 'Unite_Mesure_Index'),
      each: 'PRM',
      occurrence: {
        Id_PRM: 'text',
        Donnees_Releve: many({
          ...texts(
            'Date_Releve',
            'Id_Calendrier_Fournisseur',
            'Id_Calendrier_Distributeur',
            'Id_Affaire',
          ),
          Classe_Temporelle_Distributeur: many(
            texts('Id_Classe_Temporelle', 'Valeur', 'Indice_Vraisemblance'),
          ),
        }),
      },
    },
  },
  findings: ({ head, record }) => [
    ...unknownValue('unknown_version', 'the version', textAt(head, 'Version_XSD'), ['V1']),
    ...unknownValue('unknown_unit', 'the unit', textAt(head, 'Unite_Mesure_Index'), ['Wh']),
    ...listAt(record, 'Donnees_Releve')
      .map((reading) => textAt(reading, 'Id_Calendrier_Distributeur'))
      .filter((calendar) => !isKnownCalendar(calendar))
      .flatMap((calendar) => unknownValue('unknown_calendar', 'the calendar', calendar, [])),
  ],
  tables: [R151_TABLE],
};
