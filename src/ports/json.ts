type JsonScalar = string | number | boolean | null;

/** Plain JSON, as documents and facts hold it. */
export type JsonValue = JsonScalar | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Order of members means nothing; hashes are taken of the canonical text. */
export type JsonObject = Readonly<Record<string, JsonValue>>;
