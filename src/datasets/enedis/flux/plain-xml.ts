import { isUtf8 } from 'node:buffer';
import type { Attributes } from './document-tree.ts';

/** Is told of tags and text, in their order. */
export interface TagListener {
  open(name: string, attributes: Attributes): void;
  /** Whether text would be kept now. */
  readonly wantsText: boolean;
  text(text: string): void;
  close(): void;
}

/** What is left to a general parser. */
export interface LeftToParser {
  /**
   * Text that a parser reads first, to stand where this one stopped: what was declared, and the
   * tags that are open. Nobody is to be told of it.
   */
  readonly opening: string;
  /** From the first thing on that was not read. */
  readonly rest: Uint8Array;
}

/** A name of elements as it is compared; a document has few. */
interface Name {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** That of the start tag that came next, the last time: documents repeat themselves. */
  follower: Name | undefined;
}

const DECLARATION =
  /^(?:\u00EF\u00BB\u00BF)?(<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=(?:"(?:UTF|utf)-8"|'(?:UTF|utf)-8'))? ?\?>)?/;
const ATTRIBUTE = / +([A-Za-z_][A-Za-z0-9_.:-]*)=(?:"([ !#-%'-;=-~]*)"|'([ -%(-;=-~]*)')/y;
const BLANK = /^[ \t\n]*$/;

/**
 * A text or tag that is longer is not held: it would be looked through again with everything that
 * comes.
 */
const LONGEST = 2 ** 20;

const NO_ATTRIBUTES: Attributes = {};
const [LINE_END, SLASH, LESS, GREATER] = [0x0a, 0x2f, 0x3c, 0x3e];

/** Where a tag ends that is not there as a whole, or is none that is read here. */
const [MORE, OTHER] = [-1, -2];

/**
 * Bytes by what they are in text. Whatever may mean more than itself, or may not stand in XML at
 * all, is other: references, `]]>`, control characters, returns, and 0xEF, with which the two
 * characters begin that UTF-8 has and XML has not.
 */
const [PLAIN, END_OF_TEXT, NEW_LINE, OTHER_BYTE] = [0, 1, 2, 3];
const IN_TEXT = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === LESS) return END_OF_TEXT;
  if (byte === LINE_END) return NEW_LINE;
  return (byte < 0x20 && byte !== 0x09) || byte === 0x26 || byte === 0x5d || byte === 0xef
    ? OTHER_BYTE
    : PLAIN;
});
/** Whether a name may begin with a byte (2), or go on with it (1). */
const IN_NAME = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte);
  return /[A-Za-z_]/.test(letter) ? 2 : /[0-9.:-]/.test(letter) ? 1 : 0;
});

/**
 * Reads XML as programs write it: elements, attributes and text, without references, comments or
 * sections. It checks what makes that well-formed, and stops before anything else, also before what
 * is wrong: a general parser goes on there, and says what it is.
 */
export class PlainXml {
  readonly #listener: TagListener;
  /** The open elements, outermost first. */
  readonly #open: Name[] = [];
  readonly #names = new Map<string, Name>();
  /** That of the start tag before. */
  #last: Name = { text: '', bytes: new Uint8Array(), follower: undefined };
  #declaration: string | undefined;
  #hasEnded = false;
  #lines = 0;
  /** What came and was not read yet: it ends in the middle of something. */
  #rest: Buffer = Buffer.alloc(0);
  /** The bytes that are being read, and the same as text of one character a byte. */
  #bytes: Buffer = this.#rest;
  #text = '';

  constructor(listener: TagListener) {
    this.#listener = listener;
  }

  /** How many lines ended in what was read. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Takes more of the document; what is returned has to be read otherwise, with all that comes.
   *
   * Throws what `TextDecoder` says of bytes that are no UTF-8.
   */
  write(piece: Uint8Array): LeftToParser | undefined {
    const own = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    this.#bytes = this.#rest.length === 0 ? own : Buffer.concat([this.#rest, own]);
    this.#text = this.#bytes.toString('latin1');
    const { at, isPlain } = this.#read();
    const read = this.#bytes.subarray(0, at);
    if (!isUtf8(read)) new TextDecoder('utf-8', { fatal: true }).decode(read);
    this.#rest = Buffer.from(this.#bytes.subarray(at));
    return isPlain && this.#rest.length <= LONGEST ? undefined : this.#left();
  }

  /** The end of the document; what is returned makes it none. */
  end(): LeftToParser | undefined {
    return this.#hasEnded && BLANK.test(this.#rest.toString('latin1')) ? undefined : this.#left();
  }

  #left(): LeftToParser {
    const open = this.#open.map(({ text }) => `<${text}>`).join('');
    return {
      opening: `${this.#declaration ?? ''}${this.#hasEnded ? '<ended/>' : open}`,
      rest: this.#rest,
    };
  }

  /** From where on nothing was read, and whether that may be because the bytes end there. */
  #read(): { at: number; isPlain: boolean } {
    let at = this.#declaration === undefined ? this.#declared() : 0;
    for (;;) {
      const tag = this.#endOfText(at);
      if (tag < 0) return { at, isPlain: tag === MORE };
      if (!this.#tellText(at, tag)) return { at, isPlain: false };
      at = tag;
      const close = this.#bytes[tag + 1] === SLASH ? this.#readEnd(tag) : this.#readStart(tag);
      if (close < 0) return { at, isPlain: close === MORE };
      at = close;
    }
  }

  /**
   * A declaration is at the very beginning, or not at all; one that is cut into two pieces is left
   * to the parser.
   */
  #declared(): number {
    const [all = '', declaration = ''] = DECLARATION.exec(this.#text) ?? [];
    this.#declaration = declaration;
    return all.length;
  }

  /** The lines of a text count when its end was found. */
  #endOfText(from: number): number {
    const bytes = this.#bytes;
    const end = bytes.length;
    let lines = 0;
    for (let at = from; at < end; at += 1) {
      const kind = IN_TEXT[bytes[at] ?? 0];
      if (kind === PLAIN) continue;
      if (kind === NEW_LINE) lines += 1;
      else if (kind === OTHER_BYTE) return OTHER;
      else {
        this.#lines += lines;
        return at;
      }
    }
    return MORE;
  }

  #tellText(from: number, to: number): boolean {
    if (from === to) return true;
    if (this.#open.length === 0) {
      // After a blank no declaration may come.
      if (this.#declaration === '') this.#declaration = ' ';
      return BLANK.test(this.#text.slice(from, to));
    }
    if (!this.#listener.wantsText) return true;
    this.#listener.text(
      this.#isAscii(from, to) ? this.#text.slice(from, to) : this.#bytes.toString('utf8', from, to),
    );
    return true;
  }

  #isAscii(from: number, to: number): boolean {
    let all = 0;
    for (let at = from; at < to; at += 1) all |= this.#bytes[at] ?? 0;
    return all < 0x80;
  }

  #readEnd(tag: number): number {
    const name = this.#open.at(-1);
    if (name === undefined) return OTHER;
    const close = tag + 2 + name.bytes.length;
    if (close >= this.#bytes.length) return MORE;
    if (!this.#standsAt(tag + 2, name.bytes) || this.#bytes[close] !== GREATER) return OTHER;
    this.#open.pop();
    this.#hasEnded = this.#open.length === 0;
    this.#listener.close();
    return close + 1;
  }

  #readStart(tag: number): number {
    const bytes = this.#bytes;
    const from = tag + 1;
    const to = this.#endOfName(from);
    if (to >= bytes.length) return MORE;
    if (this.#hasEnded || to === from) return OTHER;
    const close = bytes[to] === GREATER ? to : this.#text.indexOf('>', to);
    if (close === -1) return MORE;
    const isEmpty = bytes[close - 1] === SLASH;
    const attributes = attributesIn(this.#text, to, isEmpty ? close - 1 : close);
    if (attributes === undefined) return OTHER;
    const name = this.#nameOf(from, to);
    this.#last = name;
    this.#listener.open(name.text, attributes);
    if (!isEmpty) this.#open.push(name);
    else {
      this.#listener.close();
      this.#hasEnded = this.#open.length === 0;
    }
    return close + 1;
  }

  /** The place itself where no name begins. */
  #endOfName(from: number): number {
    const bytes = this.#bytes;
    const { length } = bytes;
    if (from < length && IN_NAME[bytes[from] ?? 0] !== 2) return from;
    let at = from;
    while (at < length && (IN_NAME[bytes[at] ?? 0] ?? 0) > 0) at += 1;
    return at;
  }

  /** The name between two places: mostly the one that came after the last one before. */
  #nameOf(from: number, to: number): Name {
    const { follower } = this.#last;
    if (follower?.bytes.length === to - from && this.#standsAt(from, follower.bytes))
      return follower;
    const text = this.#text.slice(from, to);
    let name = this.#names.get(text);
    if (name === undefined) {
      name = {
        text: this.#bytes.toString('latin1', from, to),
        bytes: new Uint8Array(this.#bytes.subarray(from, to)),
        follower: undefined,
      };
      this.#names.set(name.text, name);
    }
    this.#last.follower = name;
    return name;
  }

  #standsAt(from: number, wanted: Uint8Array): boolean {
    const bytes = this.#bytes;
    for (let at = 0; at < wanted.length; at += 1) if (bytes[from + at] !== wanted[at]) return false;
    return true;
  }
}

/** The attributes between two places; undefined for what is none, and for one that comes twice. */
function attributesIn(all: string, from: number, to: number): Attributes | undefined {
  if (from === to) return NO_ATTRIBUTES;
  const attributes = Object.create(null) as Record<string, string>;
  ATTRIBUTE.lastIndex = from;
  for (let at = from; at < to; at = ATTRIBUTE.lastIndex) {
    const [, name = '', double, single = ''] = ATTRIBUTE.exec(all) ?? [];
    if (name === '') return BLANK.test(all.slice(at, to)) ? attributes : undefined;
    if (name in attributes || ATTRIBUTE.lastIndex > to) return undefined;
    attributes[name] = double ?? single;
  }
  return attributes;
}
