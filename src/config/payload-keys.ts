const KEY_BYTES = 32;

/** Keys by id; with a problem they must not be used. */
export interface ParsedPayloadKeys {
  readonly keys: ReadonlyMap<string, Buffer>;
  /** What is wrong, in words without the keys. */
  readonly problem?: string;
}

/**
 * Reads `id:key` pairs with commas or white space between; each key is 32 bytes as Base64. No text
 * has no keys.
 */
export function parsePayloadKeys(text: string | undefined): ParsedPayloadKeys {
  const keys = new Map<string, Buffer>();
  const entries = text?.split(/[\s,]+/).filter((entry) => entry !== '') ?? [];
  for (const [index, entry] of entries.entries()) {
    const [, id, encoded] = /^([\w.-]{1,64}):([A-Za-z0-9+/_-]{43}=?)$/.exec(entry) ?? [];
    const key = encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
    if (id === undefined || key?.length !== KEY_BYTES)
      return {
        keys,
        problem: `has no id:key as entry ${index + 1}; a key is 32 random bytes as Base64`,
      };
    if (keys.has(id)) return { keys, problem: `has two keys with the id ${id}` };
    keys.set(id, key);
  }
  return keys.size > 0 ? { keys } : { keys, problem: 'has no key' };
}
