import type { FluxReader, Linear, LinearColumns, LinearTable } from './linear.ts';
import { readingId, registerColumns, registerValues, unknownValue } from './linear.ts';
import { instantOfWallTime, wallTimeOf } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Register } from './registers.ts';
import { CALENDARS, registerOf, wholeKwh } from './registers.ts';
import { listAt, many, textAt, texts } from './shape.ts';
import type { TreeObject } from './shape.ts';

/**
 * R64: indexes on demand. A day's index stands at its start, in wall time of Paris without offset.
 */

/** The value of `source` in the readings that come from it. */
export const R64_SOURCE = 'flux_R64';

/** Of two values for a day the corrected one counts, then the validated one. */
export const STAGES_OF_R64 = ['CORR', 'VALID', 'BRUT'] as const;

const COLUMNS: LinearColumns = {
  releve_id: 'text',
  nature_index: 'text',
  pdl: 'text',
  etape_metier: 'text',
  contexte_releve: 'text',
  type_releve: 'text',
  grandeur_physique: 'text',
  grandeur_metier: 'text',
  unite: 'text',
  id_demande: 'text',
  si_demandeur: 'text',
  code_flux: 'text',
  format: 'text',
  occurrence_id: 'text',
  source: 'text',
  date_releve: 'text',
  id_calendrier_distributeur: 'text',
  ...registerColumns('index_'),
};

/** One register at one time, with everything that stands above it. */
interface Value {
  readonly context: TreeObject;
  readonly quantity: TreeObject;
  readonly calendar: string;
  readonly register: Register;
  readonly at: string;
  readonly kwh: number;
}

const VALID = '0';

function valuesOf(record: TreeObject, leftOut: { registers: number; invalid: number }): Value[] {
  const quantities = listAt(record, 'contexte').flatMap((context) =>
    listAt(context, 'grandeur')
      .filter(
        (one) =>
          textAt(one, 'grandeurMetier') === 'CONS' && textAt(one, 'grandeurPhysique') === 'EA',
      )
      .map((quantity) => ({ context, quantity })),
  );
  return quantities.flatMap(({ context, quantity }) =>
    listAt(quantity, 'calendrier').flatMap((one) => {
      const calendar = textAt(one, 'idCalendrier') ?? '';
      if (!Object.hasOwn(CALENDARS, calendar)) return [];
      return listAt(one, 'classeTemporelle').flatMap((timeClass) => {
        const register = registerOf(textAt(timeClass, 'idClasseTemporelle'));
        if (register === undefined) leftOut.registers += 1;
        return register === undefined
          ? []
          : pointsOf(timeClass, { context, quantity, calendar, register }, leftOut);
      });
    }),
  );
}

function pointsOf(
  timeClass: TreeObject,
  above: Omit<Value, 'at' | 'kwh'>,
  leftOut: { invalid: number },
): Value[] {
  return listAt(timeClass, 'valeur').flatMap((point) => {
    const at = instantOfWallTime(textAt(point, 'd'));
    const kwh = wholeKwh(textAt(point, 'v'), textAt(above.quantity, 'unite'));
    if (textAt(point, 'iv') === VALID && at !== null && kwh !== null)
      return [{ ...above, at, kwh }];
    leftOut.invalid += 1;
    return [];
  });
}

function stageRank({ context }: Value): number {
  const rank = STAGES_OF_R64.findIndex((stage) => stage === textAt(context, 'etapeMetier'));
  return rank === -1 ? STAGES_OF_R64.length : rank;
}

function linear({ occurrence, head, record }: DocumentRecord, document: string): Linear {
  const leftOut = { registers: 0, invalid: 0 };
  const byTime = new Map<string, Value[]>();
  for (const value of valuesOf(record, leftOut))
    byTime.set(value.at, [...(byTime.get(value.at) ?? []), value]);
  const pdl = textAt(record, 'idPrm');
  if (pdl === null) return { rows: [], leftOut };
  const rows = [...byTime].map(([at, values]) => {
    const [best] = [...values].sort((a, b) => stageRank(a) - stageRank(b));
    const own = values.filter(
      (one) => one.calendar === best?.calendar && stageRank(one) === stageRank(best),
    );
    const indexes = new Map<Register, number>();
    for (const { register, kwh } of own) if (!indexes.has(register)) indexes.set(register, kwh);
    return rowOf({ occurrence, head, pdl, document, at, best, indexes });
  });
  return { rows, leftOut };
}

interface RowParts {
  readonly occurrence: number;
  readonly head: TreeObject;
  readonly pdl: string;
  readonly document: string;
  readonly at: string;
  readonly best: Value | undefined;
  readonly indexes: ReadonlyMap<Register, number>;
}

function rowOf({ occurrence, head, pdl, document, at, best, indexes }: RowParts) {
  const stage = textAt(best?.context, 'etapeMetier');
  const kind = textAt(best?.context, 'typeReleve');
  return {
    releve_id: readingId(R64_SOURCE, pdl, wallTimeOf(at), kind ?? ''),
    nature_index: stage === 'CORR' ? 'corrigé' : 'réel',
    pdl,
    etape_metier: stage,
    contexte_releve: textAt(best?.context, 'contexteReleve'),
    type_releve: kind,
    grandeur_physique: 'EA',
    grandeur_metier: 'CONS',
    unite: 'kWh',
    id_demande: textAt(head, 'idDemande'),
    si_demandeur: textAt(head, 'siDemandeur'),
    code_flux: textAt(head, 'codeFlux'),
    format: textAt(head, 'format'),
    occurrence_id: `${document}#${occurrence}`,
    source: R64_SOURCE,
    date_releve: at,
    id_calendrier_distributeur: best?.calendar ?? null,
    ...registerValues('index_', indexes),
  };
}

/** One row a meter and instant, of the best calendar that has it. */
export const R64_TABLE: LinearTable = {
  name: 'r64',
  title: 'R64: indexes on demand',
  columns: COLUMNS,
  personal: ['pdl', 'releve_id', 'occurrence_id', 'id_demande'],
  linear,
};

/** JSON without a version; an unknown unit is a finding. */
export const R64: FluxReader = {
  shape: {
    json: {
      header: texts('idDemande', 'siDemandeur', 'codeFlux', 'format'),
      measure: {
        idPrm: 'text',
        contexte: many({
          ...texts('etapeMetier', 'contexteReleve', 'typeReleve'),
          grandeur: many({
            ...texts('grandeurMetier', 'grandeurPhysique', 'unite'),
            calendrier: many({
              idCalendrier: 'text',
              classeTemporelle: many({
                idClasseTemporelle: 'text',
                valeur: many(texts('d', 'v', 'iv')),
              }),
            }),
          }),
        }),
      },
    },
  },
  findings: ({ record }) => quantityUnits(record),
  tables: [R64_TABLE],
};

/** Consumed energy in another unit than Wh cannot be read. */
export function quantityUnits(record: TreeObject) {
  return listAt(record, 'contexte')
    .flatMap((context) => listAt(context, 'grandeur'))
    .filter(
      (one) => textAt(one, 'grandeurMetier') === 'CONS' && textAt(one, 'grandeurPhysique') === 'EA',
    )
    .flatMap((one) => unknownValue('unknown_unit', 'the unit', textAt(one, 'unite'), ['Wh']));
}
