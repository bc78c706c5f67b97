import { SaxesParser } from 'saxes';
import { causeOf, refusal } from '../decode/refusal.ts';
import type { Place } from '../decode/refusal.ts';
import { DocumentTree } from './document-tree.ts';
import type { DocumentRecord } from './document-tree.ts';
import { PlainXml } from './plain-xml.ts';
import type { LeftToParser } from './plain-xml.ts';
import type { DocumentShape } from './shape.ts';

/**
 * Reads an XML document in one pass, whatever its size: the occurrences of each chunk together.
 *
 * @throws refusals `ill_formed` (with the line) and `unknown_root`
 */
export async function* readXml(
  chunks: AsyncIterable<Uint8Array>,
  shape: DocumentShape,
  place: Place,
): AsyncGenerator<readonly DocumentRecord[]> {
  const tree = new DocumentTree(shape, place);
  const text = new XmlText(tree);
  try {
    for await (const chunk of chunks) {
      text.write(chunk);
      const records = tree.take();
      if (records.length > 0) yield records;
    }
    text.end();
  } catch (error) {
    throw causeOf(error) === undefined && error instanceof Error
      ? illFormed(text.line, place, error)
      : error;
  }
  const records = tree.take();
  if (records.length > 0) yield records;
}

function illFormed(line: number, place: Place, { message }: Error) {
  const reason = message.replace(/^\d+:\d+:\s*/, '').replace(/"[^"]*"|'[^']*'/g, '…');
  return refusal('ill_formed', place, `it is not well-formed XML in line ${line} (${reason})`);
}

/**
 * The text of a document, told to a tree. What a general parser takes for it is most of what
 * reading an archive costs, and documents of the distributor hold nothing but tags and plain text:
 * the parser reads from the first thing on that is something else, or wrong.
 */
class XmlText {
  readonly #tree: DocumentTree;
  readonly #plain: PlainXml;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #parser: SaxesParser | undefined;

  constructor(tree: DocumentTree) {
    this.#tree = tree;
    this.#plain = new PlainXml(tree);
  }

  /** The line that is being read, from 1. */
  get line(): number {
    return this.#plain.lines + (this.#parser?.line ?? 1);
  }

  /** Throws what the parser says of text that is no XML. */
  write(bytes: Uint8Array): void {
    if (this.#parser === undefined) this.#goOn(this.#plain.write(bytes));
    else this.#parser.write(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    if (this.#parser === undefined) this.#goOn(this.#plain.end());
    this.#parser?.write(this.#decoder.decode());
    this.#parser?.close();
  }

  #goOn(left: LeftToParser | undefined): void {
    if (left === undefined) return;
    const parser = new SaxesParser({ position: true });
    parser.write(left.opening);
    listen(parser, this.#tree);
    this.#parser = parser;
    this.write(left.rest);
  }
}

function listen(parser: SaxesParser, tree: DocumentTree): void {
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
  const addText = (text: string): void => {
    tree.text(text);
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
}
