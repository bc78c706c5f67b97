/**
 * The order of two well-formed texts by their UTF-8 bytes, as every store sorts its keys: negative,
 * zero or positive. JavaScript's own `<` compares UTF-16 units, which puts characters beyond U+FFFF
 * (surrogate pairs) before U+E000–U+FFFF; bytes do not.
 */
export function compareBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return byteRank(left) - byteRank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind all other units, where their four-byte characters belong. */
function byteRank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/**
 * Whether the text has a UTF-8 form; a lone surrogate has none and would silently become U+FFFD.
 */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
