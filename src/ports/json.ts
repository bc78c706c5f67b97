/** Plain JSON, as documents and facts hold it. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Order of members means nothing; hashes are taken of the canonical text. */
export type JsonObject = Readonly<Record<string, JsonValue>>;
