/** Plain JSON, as documents and facts hold it. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };
export type JsonObject = Readonly<Record<string, JsonValue>>;
