import type { FluxReader, Linear, LinearColumns, LinearTable } from './linear.ts';
import { registerColumns, registerValues, unknownValue } from './linear.ts';
import { civilDayOf, instantOfWallTime } from './paris-time.ts';
import { quantityUnits } from './r64.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Register } from './registers.ts';
import { registerOf, wholeKwh } from './registers.ts';
import { listAt, many, textAt, texts } from './shape.ts';
import type { TreeObject } from './shape.ts';

/**
 * R67: billed energies of up to 36 months, by half-open period. They never become readings, and
 * never reach a previous occupant. Of several grids of a period one counts: the distributor's own
 * with seasons, without, any other of its own, then the supplier's.
 */

const SOURCE = 'flux_R67';

/** Réel, estimé, and what was put right. */
const NATURES = ['R', 'E', 'C'] as const;

const COLUMNS: LinearColumns = {
  pdl: 'text',
  debut: 'text',
  fin: 'text',
  code_grille: 'text',
  code_calendrier: 'text',
  code_nature: 'text',
  code_statut: 'text',
  date_creation: 'text',
  id_motif_releve: 'text',
  etape_metier: 'text',
  unite: 'text',
  id_demande: 'text',
  code_flux: 'text',
  source: 'text',
  occurrence_id: 'text',
  ...registerColumns('energie_'),
};

/** A signed energy of one register over one period. */
interface Energy {
  readonly grid: string;
  readonly calendar: string;
  readonly motive: string | null;
  readonly stage: string | null;
  readonly register: Register;
  readonly from: string;
  readonly to: string;
  readonly nature: string | null;
  readonly status: string | null;
  readonly createdAt: string | null;
  readonly kwh: number;
}

function energiesOf(
  record: TreeObject,
  leftOut: { registers: number; unreadable: number },
): Energy[] {
  return listAt(record, 'contexte').flatMap((context) =>
    listAt(context, 'grandeur')
      .filter(
        (one) =>
          textAt(one, 'grandeurMetier') === 'CONS' && textAt(one, 'grandeurPhysique') === 'EA',
      )
      .flatMap((quantity) =>
        listAt(quantity, 'calendrier').flatMap((calendar) =>
          listAt(calendar, 'classeTemporelle').flatMap((timeClass) =>
            ofClass({ context, quantity, calendar, timeClass }, leftOut),
          ),
        ),
      ),
  );
}

interface Above {
  readonly context: TreeObject;
  readonly quantity: TreeObject;
  readonly calendar: TreeObject;
  readonly timeClass: TreeObject;
}

function ofClass(
  { context, quantity, calendar, timeClass }: Above,
  leftOut: { registers: number; unreadable: number },
): Energy[] {
  const register = registerOf(
    textAt(timeClass, 'idClasseTemporelle') ?? textAt(timeClass, 'codeClasseTemporelle'),
  );
  if (register === undefined) {
    leftOut.registers += 1;
    return [];
  }
  return listAt(timeClass, 'quantite').flatMap((one) => {
    const [from, to] = [civilDayOf(textAt(one, 'dbtMesure')), civilDayOf(textAt(one, 'finMesure'))];
    const kwh = wholeKwh(textAt(one, 'quantite'), textAt(quantity, 'unite'));
    if (from === null || to === null || kwh === null || to <= from) {
      leftOut.unreadable += 1;
      return [];
    }
    const energy = {
      grid: textAt(calendar, 'codeGrille') ?? '',
      calendar: textAt(calendar, 'codeCalendrier') ?? textAt(calendar, 'idCalendrier') ?? '',
      motive: textAt(context, 'idMotifReleve'),
      stage: textAt(context, 'etapeMetier'),
      register,
      from,
      to,
      nature: textAt(one, 'codeNature'),
      status: textAt(one, 'codeStatut'),
      createdAt: textAt(one, 'dateCreation'),
      kwh,
    };
    return [energy];
  });
}

/** Smaller is better. */
function gridRank({ grid, calendar }: Energy): number {
  if (grid !== 'D') return 3;
  return calendar === 'DI000003' ? 0 : calendar === 'DI000001' ? 1 : 2;
}

function linear({ occurrence, head, record }: DocumentRecord, document: string): Linear {
  const leftOut = { registers: 0, unreadable: 0 };
  const pdl = textAt(record, 'idPrm');
  const periods = new Map<string, Energy[]>();
  for (const energy of energiesOf(record, leftOut)) {
    const period = `${energy.from}/${energy.to}`;
    periods.set(period, [...(periods.get(period) ?? []), energy]);
  }
  const rows = [...periods.values()].map((energies) => {
    const [best] = [...energies].sort((a, b) => gridRank(a) - gridRank(b) || compareNewest(a, b));
    const own = energies
      .filter((one) => one.grid === best?.grid && one.calendar === best.calendar)
      .sort(compareNewest);
    const values = new Map<Register, number>();
    for (const { register, kwh } of own) if (!values.has(register)) values.set(register, kwh);
    return {
      pdl,
      debut: best?.from ?? null,
      fin: best?.to ?? null,
      code_grille: best?.grid ?? null,
      code_calendrier: best?.calendar ?? null,
      code_nature: best?.nature ?? null,
      code_statut: best?.status ?? null,
      date_creation: instantOfWallTime(best?.createdAt ?? null) ?? best?.createdAt ?? null,
      id_motif_releve: best?.motive ?? null,
      etape_metier: best?.stage ?? null,
      unite: 'kWh',
      id_demande: textAt(head, 'idDemande'),
      code_flux: textAt(head, 'codeFlux'),
      source: SOURCE,
      occurrence_id: `${document}#${occurrence}`,
      ...registerValues('energie_', values),
    };
  });
  return { rows: pdl === null ? [] : rows, leftOut };
}

/** The newest first. */
function compareNewest(a: Energy, b: Energy): number {
  const [x, y] = [a.createdAt ?? '', b.createdAt ?? ''];
  return x > y ? -1 : x < y ? 1 : 0;
}

const R67_TABLE: LinearTable = {
  name: 'r67',
  title: 'R67: billed energies of the last months',
  columns: COLUMNS,
  personal: ['pdl', 'occurrence_id', 'id_demande'],
  linear,
};

/** JSON without a version; an unknown unit or nature is a finding. */
export const R67: FluxReader = {
  shape: {
    json: {
      header: texts('idDemande', 'siDemandeur', 'codeFlux', 'format'),
      measure: {
        idPrm: 'text',
        contexte: many({
          ...texts('etapeMetier', 'idMotifReleve'),
          grandeur: many({
            ...texts('grandeurMetier', 'grandeurPhysique', 'unite'),
            calendrier: many({
              ...texts('codeGrille', 'codeCalendrier', 'idCalendrier'),
              classeTemporelle: many({
                ...texts('idClasseTemporelle', 'codeClasseTemporelle'),
                quantite: many(
                  texts(
                    'dbtMesure',
                    'finMesure',
                    'codeNature',
                    'codeStatut',
                    'dateCreation',
                    'quantite',
                  ),
                ),
              }),
            }),
          }),
        }),
      },
    },
  },
  findings: ({ record }) => [
    ...quantityUnits(record),
    ...listAt(record, 'contexte')
      .flatMap((context) => listAt(context, 'grandeur'))
      .flatMap((quantity) => listAt(quantity, 'calendrier'))
      .flatMap((calendar) => listAt(calendar, 'classeTemporelle'))
      .flatMap((timeClass) => listAt(timeClass, 'quantite'))
      .flatMap((one) =>
        unknownValue('unknown_class', 'the nature', textAt(one, 'codeNature'), NATURES),
      ),
  ],
  tables: [R67_TABLE],
};
