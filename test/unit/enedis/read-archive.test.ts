import { describe, expect, it } from 'vitest';
import type { ArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { parseArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import type { ArchiveKey } from '../../../src/datasets/enedis/decode/key-ring.ts';
import { parseKeyRing } from '../../../src/datasets/enedis/decode/key-ring.ts';
import { readArchive } from '../../../src/datasets/enedis/decode/read-archive.ts';
import { causeOf } from '../../../src/datasets/enedis/decode/refusal.ts';
import type { UnzipLimits } from '../../../src/datasets/enedis/decode/unzip.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';
import { KEY_16, KEY_32, OTHER_KEY, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import type { ZipEntry } from '@quotidien/sample-portal/sftp/archive-writer';

const C15 = '17XEMIT0_C15_17XSUPP0_GRD-F_0327_00042_20251006050823';
const F15 = '17XEMIT0_F15_17XSUPP0_GRD-F_0327_C_M_1_P_00007_20251006050823';
const R64 = 'ENEDIS_R64_P_INDEX_M0_00001_20251006050823';

function c15(...pdls: readonly string[]): string {
  const points = pdls.map((pdl) => `<PRM><Id_PRM>${pdl}</Id_PRM><Nom>DUPONT</Nom></PRM>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?><C15><En_Tete_Flux><Version_XSD>5.0.0</Version_XSD></En_Tete_Flux>${points}</C15>`;
}

const F15_DOCUMENT =
  '<F15_Detail_Facturation><Donnees_Valorisation><Type_Facturation>EVNT</Type_Facturation></Donnees_Valorisation></F15_Detail_Facturation>';

const RING = [KEY_16, KEY_32];

async function read(
  stem: string,
  bytes: Uint8Array,
  ring: readonly ArchiveKey[] = RING,
  more: { readonly limits?: UnzipLimits; readonly heldBytes?: number } = {},
): Promise<unknown[]> {
  return withFolder(async (folder) => {
    const file = await put(folder, `${stem}.zip`, bytes);
    const records: unknown[] = [];
    await readArchive(
      { path: file, name: parseArchiveName(file) as ArchiveName },
      { ring, scratch: folder, ...more },
      (some) => {
        records.push(...some.map(({ record }) => record));
      },
    );
    return records;
  });
}

async function refused(
  stem: string,
  entries: readonly ZipEntry[] | Uint8Array,
  ring = RING,
  limits?: UnzipLimits,
) {
  const bytes = entries instanceof Uint8Array ? entries : zip(entries);
  const error: unknown = await read(stem, bytes, ring, limits && { limits }).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return { cause: causeOf(error), message: error instanceof Error ? error.message : '' };
}

const ONE = [{ name: `${C15}_00001_00001.xml`, content: c15('99660599682036') }];

describe('readArchive', () => {
  it.each([
    ['a key of 16 bytes with its iv', seal(zip(ONE), KEY_16)],
    ['a key of 32 bytes, whose files begin with their iv', seal(zip(ONE), KEY_32)],
    ['no key, as the portal delivers', zip(ONE)],
  ])('opens what is sealed with %s', async (_, bytes) => {
    expect(await read(C15, bytes)).toEqual([{ Id_PRM: '99660599682036' }]);
  });

  it('takes an empty archive for what it is', async () => {
    expect(await read(C15, seal(zip([]), KEY_32))).toEqual([]);
  });

  it('joins the files of one archive, and leaves out what is not declared, such as names', async () => {
    const files = [
      { name: `${C15}_00002_00002.xml`, content: c15('3') },
      { name: `${C15}_00001_00002.xml`, content: c15('1', '2') },
    ];
    expect(await read(C15, zip(files))).toEqual([
      { Id_PRM: '1' },
      { Id_PRM: '2' },
      { Id_PRM: '3' },
    ]);
  });

  it('says of each key by its label why it does not open an archive', async () => {
    const { cause, message } = await refused(C15, seal(zip(ONE), OTHER_KEY));
    expect(cause).toBe('no_key');
    expect(message).toMatch(
      /^17XEMIT0_C15.*\.zip: no key opens it \(2024: .*; 2026: .*\); add the key/,
    );
    expect(message).not.toContain('0707');
  });

  it('refuses a file cut off inside a block, and one cut off between two', async () => {
    const sealed = seal(zip(ONE), KEY_32);
    expect(await refused(C15, sealed.subarray(0, sealed.length - 5))).toMatchObject({
      cause: 'no_key',
      message: expect.stringContaining('not a multiple of 16') as string,
    });
    expect((await refused(C15, sealed.subarray(0, sealed.length - 32))).cause).toBe('no_key');
    expect((await refused(C15, zip(ONE).subarray(0, 120))).cause).toBe('broken_zip');
    expect((await refused(C15, Buffer.alloc(0))).cause).toBe('no_key');
  });

  it.each([0, 1])(
    'refuses two files that say they are %d: the other would be lost without a trace',
    async (count) => {
      const files = [
        { name: `${C15}_00001_00002.xml`, content: c15('1') },
        { name: `${C15}_00002_00002.xml`, content: c15('2') },
      ];
      const bytes = Buffer.from(zip(files));
      // Of the record at the end: files on this disk, and files.
      const end = bytes.length - 22;
      for (const at of [end + 8, end + 10]) bytes.writeUInt16LE(count, at);
      expect(await refused(C15, bytes)).toMatchObject({
        cause: 'broken_zip',
        message: expect.stringContaining(`more files than the ${count} that it says`) as string,
      });
    },
  );

  it('refuses what unfolds beyond its limits, or claims a size that it does not have', async () => {
    const bomb = [{ name: 'bomb.xml', content: Buffer.alloc(8 * 2 ** 20) }];
    expect((await refused(C15, bomb)).cause).toBe('too_large');
    const small = { documents: 1, documentBytes: 50, archiveBytes: 2 ** 20, ratio: 400 };
    expect((await refused(C15, ONE, RING, small)).cause).toBe('too_large');
    for (const bytes of [40, 40_000]) {
      const liar = [{ ...ONE[0]!, claims: { bytes } }];
      expect(await refused(C15, liar)).toMatchObject({
        cause: 'broken_zip',
        message: expect.stringContaining('another size') as string,
      });
    }
    const wrongSum = [{ ...ONE[0]!, claims: { crc: 1 } }];
    expect(await refused(C15, wrongSum)).toMatchObject({
      cause: 'broken_zip',
      message: expect.stringContaining('checksum') as string,
    });
  });

  it.each([
    ['../../etc/passwd.xml', {}],
    ['/etc/passwd.xml', {}],
    ['a\\b.xml', {}],
    ['folder/a.xml', {}],
    ['C:a.xml', {}],
    ['nul\u0000.xml', {}],
    ['link.xml', { attributes: 0xa000_0000 }],
    ['sealed.xml', { flags: 1 }],
  ])('refuses an inner file named %j', async (name, claims) => {
    expect((await refused(C15, [{ name, content: c15('1'), claims }])).cause).toBe('unsafe_name');
  });

  it('refuses two inner files of one name', async () => {
    expect((await refused(C15, [...ONE, ...ONE])).cause).toBe('unsafe_name');
  });

  it.each([
    ['a missing rank', ['00001_00003', '00003_00003'], 'there are 2 of 3 files'],
    ['two totals', ['00001_00002', '00002_00003'], 'two totals, 2 and 3'],
  ])('refuses %s', async (_, counters, words) => {
    const files = counters.map((counter) => ({ name: `${C15}_${counter}.xml`, content: c15('1') }));
    const { cause, message } = await refused(C15, files);
    expect(cause).toBe('counter');
    expect(message).toContain(words);
  });

  it('refuses an invoice without its summary, and reads no rows from the summary', async () => {
    const details = { name: `${F15}_FL_00001_00001.xml`, content: F15_DOCUMENT };
    expect((await refused(F15, [details])).cause).toBe('no_summary');
    const summary = { name: `${F15}_FA_00001_00001.xml`, content: '<F15_Facture/>' };
    expect(await read(F15, zip([summary, details]))).toHaveLength(1);
  });

  it.each([
    ['unknown_name', C15, [{ name: 'notes.txt', content: 'x' }]],
    ['unknown_root', C15, [{ name: 'a.xml', content: '<R151/>' }]],
    ['unknown_version', C15, [{ name: 'a.xml', content: c15('1').replace('5.0.0', '9.9') }]],
    ['ill_formed', C15, [{ name: 'a.xml', content: '<C15>\n<PRM></C15>' }]],
    ['ill_formed', C15, [{ name: 'a.xml', content: '<C15><PRM>' }]],
    ['ill_formed', C15, [{ name: 'a.xml', content: '<!DOCTYPE C15 [<!ENTITY a "b">]><C15/>' }]],
    ['ill_formed', R64, [{ name: 'a.JSON', content: '{"header":{}, "mesures":[' }]],
    ['unknown_root', R64, [{ name: 'a.JSON', content: '{"other":1}' }]],
  ])('refuses with %s and names the inner file', async (cause, stem, files) => {
    const found = await refused(stem, files);
    expect(found.cause).toBe(cause);
    expect(found.message).toContain(`${stem}.zip, ${files[0]!.name}: `);
  });

  it('names the line of what is not well-formed, and quotes nothing of it', async () => {
    const { message } = await refused(C15, [
      { name: 'a.xml', content: '<C15>\n<PRM><Nom>DUPONT</PRM></C15>' },
    ]);
    expect(message).toContain('in line 2');
    expect(message).not.toContain('DUPONT');
  });

  it('keeps every digit of numbers in JSON', async () => {
    const content =
      '{"header":{"idDemande":90071992547409931},"mesures":[{"idPrm":99331145115979000017}]}';
    expect(await read(R64, zip([{ name: 'a.json', content }]))).toEqual([
      { idPrm: '99331145115979000017', contexte: [] },
    ]);
  });
});

describe('parseKeyRing', () => {
  it('reads keys of both kinds and comments', () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const text = `# keys\n2024: ${hex(KEY_16.key)} ${hex(KEY_16.iv!)}\n2026: ${hex(KEY_32.key)}\n`;
    expect(parseKeyRing(text)).toEqual([KEY_16, KEY_32]);
  });

  it.each([
    ['2024: 0011', 'line 1 of the key file has a key of 2 bytes, not 16 or 32'],
    [`2024: ${'00'.repeat(16)}`, 'line 1 of the key file has a key of 16 bytes without its iv'],
    [
      `2026: ${'00'.repeat(32)} ${'00'.repeat(16)}`,
      'line 1 of the key file has an iv beside a key of 32 bytes',
    ],
    ['secret', 'line 1 of the key file is not "label: key"'],
    [`a: ${'00'.repeat(32)}\na: ${'00'.repeat(32)}`, 'the key file names a twice'],
  ])('refuses %j', (text, words) => {
    expect(() => parseKeyRing(text)).toThrow(words);
  });
});

describe('sealed archives', () => {
  it('are read from disk in blocks, also when they are large', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => String(index));
    const bytes = seal(zip([{ name: 'a.xml', content: c15(...many) }]), KEY_32);
    const records = await read(C15, bytes, RING, { heldBytes: 0 });
    expect(records).toHaveLength(20_000);
    expect(await read(C15, bytes)).toEqual(records);
  });
});
