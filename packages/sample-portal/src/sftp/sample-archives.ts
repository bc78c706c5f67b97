import { c15Xml, r151Xml, r64Json } from './flux-text.ts';
import type { SealingKey } from './archive-writer.ts';
import { KEY_16, KEY_32, OTHER_KEY, seal, zip } from './archive-writer.ts';
import { october } from './october.ts';
import type { ServedFile } from './sftp-server.ts';
import type { SupplierRows } from './supplier-rows.ts';

/**
 * What the sample server has: the month of an invented supplier as archives, sealed in both ways,
 * and archives that are wrong.
 */

/** A file as it lies on the server. */
export interface SampleArchive {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const C15_STEM = 'E_C15_S_GRD-F_0327';

function archive(
  stem: string,
  inner: string,
  content: string,
  key: SealingKey = KEY_32,
): SampleArchive {
  return { name: `${stem}.zip`, bytes: seal(zip([{ name: inner, content }]), key) };
}

/** An archive of contract events; `number` is its place in the sequence. */
export function c15Archive(
  number: number,
  at: string,
  rows: SupplierRows['c15'],
  key: SealingKey = KEY_32,
): SampleArchive {
  const stem = `${C15_STEM}_${String(number).padStart(5, '0')}_${at}`;
  return archive(stem, `${stem}_00001_00001.xml`, c15Xml(rows), key);
}

/** The month of October 2025 over three days; number 2 of the contract events is missing. */
export function octoberArchives({ c15, r151, r64 }: SupplierRows = october()): SampleArchive[] {
  const half = Math.ceil(c15.length / 2);
  const daily = (day: string) => r151.filter((row) => String(row['date_releve']).startsWith(day));
  return [
    c15Archive(1, '20251021050000', c15.slice(0, half), KEY_16),
    c15Archive(3, '20251101050000', c15.slice(half)),
    archive(
      'E_R151_S_C_5073_00001_Q_00001_00001_20251002030000',
      'a.xml',
      r151Xml(daily('2025-10-01')),
    ),
    archive(
      'E_R151_S_C_5073_00002_Q_00001_00001_20251101030000',
      'b.xml',
      r151Xml(daily('2025-11-01')),
    ),
    archive('E_R64_P_INDEX_M0_00001_20251101070000', 'c.JSON', r64Json(r64)),
  ];
}

/** The days of which archives exist; the last brings what October still lacked. */
export const OCTOBER_DAYS = ['2025-10-02', '2025-10-21', '2025-11-01'];

/** Zeros that pack a thousand times. */
const BOMB_BYTES = 8 * 2 ** 20;

/** Archives of one day that cannot be read, by why; and names of which nothing is known. */
export function wrongArchives(at = '20251102'): Readonly<Record<string, SampleArchive>> {
  const c15 = (number: number) =>
    `${C15_STEM}_${String(number).padStart(5, '0')}_${at}05000${number % 10}`;
  const whole = c15Xml([]);
  return {
    no_key: archive(c15(4), `${c15(4)}_00001_00001.xml`, whole, OTHER_KEY),
    broken_zip: truncatedZip(c15(5)),
    too_large: sealed(c15(6), `${c15(6)}_00001_00001.xml`, Buffer.alloc(BOMB_BYTES)),
    unsafe_name: sealed(c15(7), '../../../etc/passwd.xml', whole),
    counter: sealed(c15(8), `${c15(8)}_00001_00003.xml`, whole),
    ill_formed: sealed(c15(9), `${c15(9)}_00001_00001.xml`, whole.slice(0, -6)),
    unknown_root: sealed(c15(10), `${c15(10)}_00001_00001.xml`, '<Autre/>'),
  };
}

/** What lies beside archives and must be passed over. */
export const OTHER_FILES: readonly SampleArchive[] = [
  {
    name: 'E_R17_S_GRD-F_0327_00001_20251102050000.zip',
    bytes: Buffer.from('a flux that is only noted'),
  },
  { name: 'LISEZ-MOI.txt', bytes: Buffer.from('no archive') },
];

function sealed(stem: string, inner: string, content: string | Uint8Array): SampleArchive {
  return { name: `${stem}.zip`, bytes: seal(zip([{ name: inner, content }]), KEY_32) };
}

function truncatedZip(stem: string): SampleArchive {
  const plain = zip([{ name: `${stem}_00001_00001.xml`, content: c15Xml([]) }]);
  return { name: `${stem}.zip`, bytes: seal(plain.subarray(0, plain.length - 30), KEY_32) };
}

/**
 * Lies beside made-up archives, so that whoever fetches them says what they are; no distributor has
 * such a file.
 */
export const SAMPLE_MARK: SampleArchive = {
  name: 'QUOTIDIEN-SAMPLE',
  bytes: Buffer.from('The archives of this folder are made up.\n'),
};

/** Where the distributor puts an archive: a folder per flux. */
export function servedAt(root: string, { name, bytes }: SampleArchive): ServedFile {
  const flux = /_(?<flux>[A-Z]\d{2,3})_/.exec(name)?.groups?.['flux'] ?? 'DIVERS';
  const folder = flux === 'R64' || flux === 'R67' ? 'R63_R64_R65_R66_R67_C68' : flux;
  return { path: `${root}/${folder}/${name}`, bytes };
}

/**
 * The hours over their power of the supplier's contracts, as its billing team writes them down: no
 * flux has them.
 */
export function overrunsFile(
  { depassements }: SupplierRows = october(),
  name = 'depassements_20251103.csv',
): SampleArchive {
  const rows = depassements.map(({ rsc, mois, heures }) => [
    rsc.slice(1),
    rsc,
    mois,
    heures,
    'portail du distributeur',
  ]);
  const head = ['pdl', 'ref_situation_contractuelle', 'mois', 'heures', 'origine'];
  return {
    name,
    bytes: Buffer.from(`${[head, ...rows].map((cells) => cells.join(';')).join('\n')}\n`),
  };
}
