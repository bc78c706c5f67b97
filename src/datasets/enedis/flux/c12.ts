import type { FluxReader, Linear, LinearTable } from './linear.ts';
import { unknownValue } from './linear.ts';
import { civilDayOf, instantOf } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Register } from './registers.ts';
import { decimalOf, powerColumn, REGISTERS } from './registers.ts';
import { listAt, many, textAt, texts, treeAt } from './shape.ts';

/**
 * C12: the contract of a point of segments C2 to C4, with a subscribed power for each of its hours.
 * It names no RSC.
 */

/**
 * Hours of the network tariff, by the label that C12 has for them; those that are not billed here
 * have no register.
 */
const HOURS: Readonly<Record<string, Register | null>> = {
  Base: 'base',
  HP: 'hp',
  HC: 'hc',
  HPH: 'hph',
  HCH: 'hch',
  HPE: 'hpb',
  HCE: 'hcb',
  Pointe: null,
  HPDemiSaison: null,
  HCDemiSaison: null,
  JA: null,
  PM: null,
};

/** Options whose names in C12 are not those of the tariff. */
const OPTIONS: Readonly<Record<string, string>> = { BTSUPCU4: 'BTSUPCU', BTSUPLU4: 'BTSUPLU' };

const HOURS_AT = ['Option_Tarifaire_TURPE_Souscrite', 'Classe_Temporelle_TURPE_Souscrite'] as const;

function linear({ occurrence, record }: DocumentRecord, document: string): Linear {
  const contract = treeAt(record, 'Situation_Contractuelle');
  const powers = new Map<Register, string>();
  const leftOut = { hours: 0 };
  for (const hour of listAt(contract, ...HOURS_AT)) {
    const register = HOURS[textAt(hour, 'Libelle') ?? ''];
    const power = decimalOf(textAt(hour, 'Puissance_Souscrite'));
    if (register === null || register === undefined) leftOut.hours += 1;
    else if (power !== null && !powers.has(register)) powers.set(register, power);
  }
  const option = textAt(
    contract,
    'Option_Tarifaire_TURPE_Souscrite',
    'Option_Tarifaire_TURPE',
    'Libelle',
  );
  const customer = treeAt(contract, 'Utilisateur_Reseau', 'Personne_Morale');
  const row = {
    pdl: textAt(record, 'Identifiant'),
    date_evenement:
      instantOf(textAt(record, 'Type_Evenement', 'Date_Evenement')) ??
      civilDayOf(textAt(record, 'Type_Evenement', 'Date_Evenement')),
    domaine_de_tension: textAt(
      record,
      'Alimentation',
      'Alimentation_Principale',
      'Domaine_De_Tension',
    ),
    date_debut: civilDayOf(textAt(contract, 'Date_Debut')),
    date_fin: civilDayOf(textAt(contract, 'Date_Fin')),
    profil: textAt(contract, 'Profil'),
    nature_evenement: textsOf(treeAt(contract, 'Evenement', 'Nature_Evenement')),
    numero_affaire: textAt(contract, 'Evenement', 'Numero_Affaire'),
    raison_sociale: textAt(customer, 'Raison_Sociale'),
    code_ape: textAt(customer, 'Code_APE'),
    formule_tarifaire_acheminement: option === null ? null : (OPTIONS[option] ?? option),
    ...Object.fromEntries(REGISTERS.map((hour) => [powerColumn(hour), powers.get(hour) ?? null])),
    source: 'flux_C12',
    occurrence_id: `${document}#${occurrence}`,
  };
  return { rows: [row], leftOut };
}

/** Several natures of one event, in their order. */
function textsOf(tree: unknown): string | null {
  const natures = Array.isArray(tree)
    ? (tree as unknown[]).filter((one) => typeof one === 'string' && one !== '')
    : [];
  return natures.length === 0 ? null : natures.join('+');
}

const C12_TABLE: LinearTable = {
  name: 'c12',
  title: 'C12: contracts of segments C2 to C4',
  columns: {
    pdl: 'text',
    date_evenement: 'text',
    domaine_de_tension: 'text',
    date_debut: 'text',
    date_fin: 'text',
    profil: 'text',
    nature_evenement: 'text',
    numero_affaire: 'text',
    raison_sociale: 'text',
    code_ape: 'text',
    formule_tarifaire_acheminement: 'text',
    ...Object.fromEntries(REGISTERS.map((hour) => [powerColumn(hour), 'decimal' as const])),
    source: 'text',
    occurrence_id: 'text',
  },
  personal: ['pdl', 'numero_affaire', 'raison_sociale'],
  linear,
};

/** Version 1.12.1; an unknown class of hours is a finding. */
export const C12: FluxReader = {
  shape: {
    xml: {
      roots: ['C12'],
      head: { Version_XSD: 'text' },
      each: 'PRM',
      occurrence: {
        Identifiant: 'text',
        Type_Evenement: texts('Date_Evenement'),
        Alimentation: { Alimentation_Principale: texts('Domaine_De_Tension') },
        Situation_Contractuelle: {
          ...texts('Date_Debut', 'Date_Fin', 'Profil'),
          Evenement: { Nature_Evenement: many('text'), Numero_Affaire: 'text' },
          Utilisateur_Reseau: { Personne_Morale: texts('Raison_Sociale', 'Code_APE') },
          Option_Tarifaire_TURPE_Souscrite: {
            Option_Tarifaire_TURPE: texts('Libelle'),
            Classe_Temporelle_TURPE_Souscrite: many(texts('Libelle', 'Puissance_Souscrite')),
          },
        },
      },
    },
  },
  findings: ({ head, record }) => [
    ...unknownValue('unknown_version', 'the version', textAt(head, 'Version_XSD'), ['1.12.1']),
    ...listAt(record, 'Situation_Contractuelle', ...HOURS_AT).flatMap((hour) =>
      unknownValue(
        'unknown_class',
        'the class of hours',
        textAt(hour, 'Libelle'),
        Object.keys(HOURS),
      ),
    ),
  ],
  tables: [C12_TABLE],
};
