import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import { c15Archive } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import type { FluxRow } from '@quotidien/sample-portal/sftp/flux-text';
import { event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { addDays } from '../src/pipelines/civil-date.ts';

/**
 * What a supplier gets in two years: an archive of daily indexes every day, as long as the
 * distributor's, and one of events every week.
 */

/** How large a supplier. */
export interface SupplierSize {
  readonly points: number;
  readonly days: number;
}

const FIRST_DAY = '2023-11-10';
/** One in so many points leaves halfway, one in so many has another power a month after it came. */
const [LEAVES, CHANGES] = [5, 2];
const CHANGE_AFTER = 30;

/** A made-up supplier. */
export interface TwoYears {
  readonly archives: readonly SampleArchive[];
  readonly readings: number;
  readonly events: number;
  readonly xmlBytes: number;
  readonly range: { readonly from: string; readonly to: string };
}

/** A point from one day to another, counted from the first one. */
interface Stay {
  readonly pdl: string;
  readonly from: number;
  readonly to: number;
}

/** Points come one after the other over the whole time; each is read every day of its stay. */
export function twoYears({ points, days }: SupplierSize): TwoYears {
  const stays = Array.from({ length: points }, (_, index): Stay => {
    const from = Math.floor((index / points) * days);
    const to = index % LEAVES === 0 ? Math.floor((from + days) / 2) : days;
    return { pdl: String(99_000_000_000_000 + index), from, to };
  });
  const archives: SampleArchive[] = [];
  let [readings, xmlBytes] = [0, 0];
  for (let day = 1; day <= days; day += 1) {
    const present = stays.filter(({ from, to }) => from < day && day <= to);
    const archive = dailyArchive(present, day);
    readings += present.length;
    xmlBytes += archive.xmlBytes;
    archives.push(archive);
  }
  const events = stays.flatMap((stay, index) => eventsOf(stay, index, days));
  const weeks = weekly(events, days);
  const range = { from: dayAt(0), to: dayAt(days + 1) };
  return { archives: [...archives, ...weeks], readings, events: events.length, xmlBytes, range };
}

/** The archive of daily indexes of a day, of points that are there. */
export function dailyArchive(
  stays: readonly Stay[],
  day: number,
): SampleArchive & { readonly xmlBytes: number } {
  const content = r151(stays, day);
  const stem = `E_R151_S_C_5073_${String(day).padStart(5, '0')}_Q_00001_00001_${stampOf(day, '030000')}`;
  const bytes = seal(zip([{ name: `${stem}.xml`, content }]), KEY_32);
  return { name: `${stem}.zip`, bytes, xmlBytes: Buffer.byteLength(content) };
}

function dayAt(day: number): string {
  return addDays(FIRST_DAY, day);
}

function stampOf(day: number, time: string): string {
  return `${dayAt(day).replaceAll('-', '')}${time}`;
}

function eventsOf({ pdl, from, to }: Stay, index: number, days: number) {
  const common = { pdl, fta: 'BTINFCU4' };
  const indexes = (day: number) => four(index, day);
  const events: { day: number; row: FluxRow }[] = [
    { day: from, row: event({ ...common, at: dayAt(from), event: 'CFNE', after: indexes(from) }) },
  ];
  const changed = from + CHANGE_AFTER;
  if (index % CHANGES === 0 && changed < to)
    events.push({
      day: changed,
      row: event({ ...common, at: dayAt(changed), event: 'MDPRM', kva: '9' }),
    });
  if (to < days)
    events.push({
      day: to,
      row: event({ ...common, at: dayAt(to), event: 'CFNS', before: indexes(to) }),
    });
  return events;
}

function weekly(
  events: readonly { readonly day: number; readonly row: FluxRow }[],
  days: number,
): SampleArchive[] {
  const archives: SampleArchive[] = [];
  for (let day = 0; day <= days; day += 7) {
    const rows = events.filter((one) => one.day > day - 7 && one.day <= day).map(({ row }) => row);
    if (rows.length > 0)
      archives.push(c15Archive(archives.length + 1, stampOf(day, '050000'), rows));
  }
  return archives;
}

/** kWh of the four registers at the first moment of a day. */
function four(index: number, day: number) {
  const base = 10_000 + index + day * 9;
  return { hph: base, hch: base + 7, hpb: base + 11, hcb: base + 3 };
}

const LABELS = {
  hph: 'Heures Pleines Hiver / Saison Haute',
  hch: 'Heures Creuses Hiver / Saison Haute',
  hpb: 'Heures Pleines Saison Basse',
  hcb: 'Heures Creuses Saison Basse',
} as const;

const HEAD =
  '<En_Tete_Flux><Identifiant_Flux>R151</Identifiant_Flux><Libelle_Flux>Puissances maximales et index des PRM du segment C5 sur abonnement</Libelle_Flux><Version_XSD>V1</Version_XSD><Identifiant_Emetteur>17XFICTIF64252DX</Identifiant_Emetteur><Identifiant_Destinataire>17XFICTIFD235F9X</Identifiant_Destinataire><Date_Creation>2024-04-06T03:09:31+02:00</Date_Creation><Identifiant_Contrat>84115364</Identifiant_Contrat><Numero_Abonnement>507342151</Numero_Abonnement><Unite_Mesure_Index>Wh</Unite_Mesure_Index><Unite_Mesure_Puissance>VA</Unite_Mesure_Puissance></En_Tete_Flux>';

/**
 * With everything that the distributor writes beside what is read: labels, ranks, the supplier's
 * own grid.
 */
function r151(stays: readonly Stay[], day: number): string {
  const date = dayAt(day - 1);
  const points = stays.map(({ pdl }) => {
    const indexes = Object.entries(four(Number(pdl) % 100_000, day));
    const own = indexes.map(([register, kwh], rank) =>
      klass('Classe_Temporelle_Distributeur', register, rank, kwh),
    );
    const other = indexes.map(([register, kwh], rank) =>
      klass('Classe_Temporelle', register, rank, kwh),
    );
    return `<PRM><Id_PRM>${pdl}</Id_PRM>
<Donnees_Releve><Date_Releve>${date}</Date_Releve>
<Id_Calendrier_Fournisseur>FC022034</Id_Calendrier_Fournisseur>
<Libelle_Calendrier_Fournisseur>INCONNU</Libelle_Calendrier_Fournisseur>
<Id_Calendrier_Distributeur>DI000003</Id_Calendrier_Distributeur>
<Libelle_Calendrier_Distributeur>Avec différenciation temporelle et saisonnière</Libelle_Calendrier_Distributeur>
<Id_Affaire>5112502</Id_Affaire>
${own.join('\n')}
${other.join('\n')}
<Puissance_Maximale><Valeur>5551</Valeur></Puissance_Maximale>
</Donnees_Releve>
</PRM>`;
  });
  return `<?xml version='1.0' encoding='UTF-8'?>\n<R151 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${HEAD}\n${points.join('\n')}\n</R151>`;
}

function klass(element: string, register: string, rank: number, kwh: number): string {
  const label = LABELS[register as keyof typeof LABELS];
  return `<${element}><Id_Classe_Temporelle>${register.toUpperCase()}</Id_Classe_Temporelle><Libelle_Classe_Temporelle>${label}</Libelle_Classe_Temporelle><Rang_Cadran>${rank + 1}</Rang_Cadran><Valeur>${kwh}608</Valeur><Indice_Vraisemblance>0</Indice_Vraisemblance></${element}>`;
}
