import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import type { ArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { parseArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { makePiece } from '../../../src/datasets/enedis/days/make-piece.ts';
import type { PieceEvent } from '../../../src/datasets/enedis/days/piece.ts';
import { readPieces } from '../../../src/datasets/enedis/days/piece.ts';
import { wholeKwh } from '../../../src/datasets/enedis/flux/registers.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';

const STEM = 'E_R151_S_C_5073_00001_Q_00001_00001_20250301030000';
const ODD = 'A"\\\n\u2028é😀';
const XML =
  '<R151><En_Tete_Flux><Version_XSD>V1</Version_XSD></En_Tete_Flux>' +
  `<PRM><Id_PRM>1</Id_PRM><Donnees_Releve><Id_Affaire>${ODD}</Id_Affaire></Donnees_Releve></PRM>` +
  '<PRM><Id_PRM>2</Id_PRM></PRM></R151>';

async function eventsOf(file: string): Promise<PieceEvent[]> {
  const events: PieceEvent[] = [];
  for await (const event of readPieces(file)) events.push(event);
  return events;
}

async function withPiece(use: (piece: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const archive = await put(folder, `${STEM}.zip`, seal(zip([{ name: `${STEM}.xml`, content: XML }]), KEY_32));
    const name = parseArchiveName(archive) as ArchiveName;
    const { path } = await makePiece({ path: archive, name, ring: [KEY_32], scratch: folder });
    await use(path);
  });
}

describe('readPieces', () => {
  it('gives occurrences as lines that say what was read, whatever the text of a customer’s file holds', async () => {
    await withPiece(async (piece) => {
      const events = await eventsOf(piece);
      expect(events.map(({ kind }) => kind)).toEqual(['head', 'record', 'record', 'end']);
      const [first] = events.flatMap((event) => (event.kind === 'record' ? [event.line] : []));
      const members = JSON.parse(first ?? '') as Record<string, string>;
      expect(members).toMatchObject({ document: `${STEM}.xml`, occurrence: 1 });
      expect(JSON.parse(members['head'] ?? '')).toEqual({ Version_XSD: 'V1' });
      expect(JSON.parse(members['record'] ?? '')).toEqual({ Id_PRM: '1', Donnees_Releve: [{ Id_Affaire: ODD }] });
    });
  });

  it('refuses a piece that was cut off, wherever', async () => {
    await withPiece(async (piece) => {
      const whole = await readFile(piece, 'utf8');
      const ends = [...whole.matchAll(/[}\n]/g)].map(({ index }) => index + 1).filter((end) => end < whole.length - 1);
      expect(ends.length).toBeGreaterThan(5);
      for (const end of ends) {
        await writeFile(piece, whole.slice(0, end));
        await expect(eventsOf(piece)).rejects.toMatchObject({ code: expect.stringMatching(/^SRC_/) as string });
      }
    });
  });

  it('refuses an occurrence without an archive', async () => {
    await withPiece(async (piece) => {
      await appendFile(piece, '{"document":"x","occurrence":1,"head":"{}","record":"{}"}\n');
      await expect(eventsOf(piece)).rejects.toMatchObject({ code: 'SRC_SHAPE_CHANGED' });
    });
  });
});

describe('wholeKwh', () => {
  it.each([
    ['999999999999', 'Wh', 999_999_999],
    ['9999999999999', 'Wh', 9_999_999_999],
    ['000001999', 'Wh', 1],
    ['999', 'Wh', 0],
    ['+1999', 'Wh', 1],
    ['-1', 'Wh', -1],
    ['1999.999', 'Wh', 1],
    ['999999999999', 'kWh', 999_999_999_999],
    ['1.5', null, 1],
    ['', 'Wh', null],
    ['1 999', 'Wh', null],
  ])('makes of %s in %s %s, towards −∞', (text, unit, kwh) => {
    expect(wholeKwh(text, unit)).toBe(kwh);
  });
});
