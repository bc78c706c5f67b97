import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { DocumentTree } from '../../../src/datasets/enedis/flux/document-tree.ts';
import { readXml } from '../../../src/datasets/enedis/flux/read-xml.ts';
import { many, texts } from '../../../src/datasets/enedis/flux/shape.ts';

const SHAPE = {
  roots: ['R', 'S'],
  head: texts('Head'),
  each: 'Each',
  occurrence: { ...texts('@id', 'Name', 'Other_Name'), Part: many(texts('Name', 'A')) },
};
const PLACE = { archive: 'a', document: 'd' };

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size)
    yield await Promise.resolve(bytes.slice(at, at + size));
}

/** The same by the general parser alone. */
function byParser(bytes: Uint8Array): unknown {
  const tree = new DocumentTree(SHAPE, PLACE);
  const parser = new SaxesParser({ position: true, xmlns: false });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('it declares a document type');
  });
  parser.on('opentag', ({ name, attributes }) => {
    tree.open(name, attributes);
  });
  parser.on('closetag', () => {
    tree.close();
  });
  parser.on('text', (text) => {
    tree.text(text);
  });
  parser.on('cdata', (text) => {
    tree.text(text);
  });
  try {
    parser.write(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).close();
    return tree.take();
  } catch {
    return 'refused';
  }
}

async function read(bytes: Uint8Array, size: number): Promise<unknown> {
  const records: unknown[] = [];
  try {
    for await (const some of readXml(inPieces(bytes, size), SHAPE, PLACE)) records.push(...some);
    return records;
  } catch {
    return 'refused';
  }
}

const name = fc.constantFrom(
  'Each',
  'Name',
  'Other_Name',
  'Part',
  'A',
  'Head',
  'x:Name',
  'Unread',
  'é',
);
const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\n',
    'kWh',
    'a b',
    'é',
    '€',
    '😀',
    ']',
    ']]>',
    '&amp;',
    '&#233;',
    '&',
    '>',
    '\r\n',
    '\r',
    '\t',
    '\u0001',
    '\uFFFE',
    'ﬁ',
  ),
  fc.string({ maxLength: 4 }),
);
const attribute = fc.constantFrom(
  '',
  '',
  '',
  ' id="1"',
  " id='é'",
  ' id="a>b"',
  ' id="&lt;"',
  ' id="1" id="2"',
  ' a ="x"',
  ' \n',
  ' x:id="a\tb"',
  ' id=1',
);
const beside = fc.constantFrom(
  '',
  '',
  '',
  '<!-- a -->',
  '<?p i?>',
  '<![CDATA[<x>]]>',
  '<!DOCTYPE R>',
);

const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .tuple(
      name,
      attribute,
      fc.array(
        fc.oneof(
          { maxDepth: 4, withCrossShrink: true },
          text,
          beside,
          tie('element'),
          tie('element'),
        ),
        {
          maxLength: 5,
        },
      ),
      fc.boolean(),
    )
    .map(([tag, own, inner, isClosed]) =>
      isClosed && inner.length === 0
        ? `<${tag}${own}/>`
        : `<${tag}${own}>${inner.join('')}</${tag}${inner.length === 3 ? ' ' : ''}>`,
    ),
}));
const declaration = fc.constantFrom(
  '',
  '<?xml version="1.0" encoding="UTF-8"?>\n',
  "<?xml version='1.0'?>",
  `<?xml version='1.0"?>`,
  `<?xml version="1.0" encoding="utf-8'?>`,
  '<?xml version="1.1"?>',
  '\uFEFF<?xml version="1.0" encoding="utf-8"?>',
  '\uFEFF',
  ' <?xml version="1.0"?>',
);
const plain = fc.record({
  declaration,
  root: fc.constantFrom('R', 'R', 'R', 'S', 'T'),
  inner: fc.array(element, { maxLength: 5 }),
  after: fc.constantFrom('', '', '\n', 'x', '<R/>'),
});
const document = plain.map(
  ({ declaration: first, root, inner, after }) =>
    `${first}<${root}>${inner.join('\n')}</${root}>${after}`,
);

describe('an XML document', () => {
  it('is read as the general parser reads it, in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.integer({ min: 1, max: 64 }), async (whole, size) => {
        const bytes = Buffer.from(whole);
        expect(await read(bytes, size)).toEqual(byParser(bytes));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is refused where the parser refuses it, when any byte is another or it ends early', async () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0x3c, 0x3e, 0x26, 0x2f, 0xef, 0xed, 0x22),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        document,
        change,
        fc.boolean(),
        fc.integer({ min: 1, max: 64 }),
        async (whole, { at, byte }, isCut, size) => {
          const bytes = Buffer.from(whole);
          bytes[at % bytes.length] = byte;
          const own = isCut ? bytes.subarray(0, at % bytes.length) : bytes;
          expect(await read(own, size)).toEqual(byParser(own));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('that is wrong is refused with the line, however much of it was plain', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, index) => `<Each id="${index}">\n<Name>é</Name></Each>`,
    ).join('\n');
    for (const [wrong, reason] of [
      ['<Each>&unknown;</Each>', 'undefined entity'],
      ['<Each></Part>', 'unexpected close tag'],
      ['<Each a="1" a="2"/>', 'duplicate attribute'],
      ['</R><R>', 'unexpected close tag|only one root'],
    ])
      await expect(
        (async () => {
          for await (const some of readXml(
            inPieces(Buffer.from(`<R>\n${lines}\n${wrong}</R>`), 100),
            SHAPE,
            PLACE,
          ))
            void some;
        })(),
      ).rejects.toThrow(new RegExp(`not well-formed XML in line 602 \\(.*(${reason})`));
  });

  it('without anything unusual takes time that grows with it alone, also where a text goes on for megabytes', async () => {
    const endless = Buffer.from(`<R><Each><Name>${'a'.repeat(3 * 2 ** 20)}</Name></Each></R>`);
    expect(await read(endless, 2 ** 16)).toEqual(byParser(endless));
  });
});
