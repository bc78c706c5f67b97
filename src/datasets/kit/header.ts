import { PipelineError } from '../../errors.ts';

/**
 * Which published column is which, by its name and never by its position. Publishers use several
 * dialects (short names, labels, labels of earlier years), so a column of ours has aliases, which
 * are compared in a plain form.
 */

/** What a column of ours is called by the publisher. */
export interface ColumnAliases<Name extends string> {
  readonly name: Name;
  /** Spellings besides the name itself. */
  readonly aliases?: readonly string[];
  /** For messages: what the column means. Default: its name. */
  readonly title?: string;
}

/** A header by our names. */
export interface HeaderMap<Name extends string> {
  /** Published name by our name. */
  readonly known: ReadonlyMap<Name, string>;
  /** Published names that mean nothing to us, in their order. */
  readonly unknown: readonly string[];
}

/** The rule by which the headers of a publisher are read. */
export interface HeaderReader<Name extends string> {
  /** Our name of a published column; undefined when it is none that we know. */
  readonly nameOf: (published: string) => Name | undefined;
  /**
   * Maps a header. Columns that we do not know are tolerated and listed.
   * @throws `SRC_SHAPE_CHANGED` when two columns have one meaning, or differ in case only: either
   * could be the right one.
   */
  readonly read: (published: readonly string[], what: string) => HeaderMap<Name>;
  /**
   * The published name of a column that must be there.
   * @throws `SRC_SHAPE_CHANGED` that names the column and what was found instead.
   */
  readonly require: (header: HeaderMap<Name>, name: Name, what: string) => string;
}

/**
 * Letters and digits alone, without case and accents: `Taux d'occupation` and `taux_doccupation`
 * are the same.
 */
export function plainName(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** Reads headers by the aliases of our columns. `plain` is the form in which names are compared. */
export function headerReader<Name extends string>(
  columns: readonly ColumnAliases<Name>[],
  plain: (name: string) => string = plainName,
): HeaderReader<Name> {
  const byPlainName = new Map(
    columns.flatMap(({ name, aliases = [] }) =>
      [name, ...aliases].map((alias) => [plain(alias), name] as const),
    ),
  );
  const nameOf = (published: string): Name | undefined => byPlainName.get(plain(published));
  return {
    nameOf,
    read: (published, what) => readHeader(published, what, nameOf),
    require(header, name, what) {
      const published = header.known.get(name);
      if (published !== undefined) return published;
      const title = columns.find((column) => column.name === name)?.title ?? name;
      const found = [...header.known.values(), ...header.unknown]
        .map((column) => JSON.stringify(column))
        .join(', ');
      throw new PipelineError(
        'SRC_SHAPE_CHANGED',
        `${what} has no column ${name} (${title}); its columns are ${found}`,
      );
    },
  };
}

function readHeader<Name extends string>(
  published: readonly string[],
  what: string,
  nameOf: (published: string) => Name | undefined,
): HeaderMap<Name> {
  const known = new Map<Name, string>();
  const unknown: string[] = [];
  const seen = new Set<string>();
  for (const column of published) {
    const name = nameOf(column);
    const twin = name === undefined ? undefined : known.get(name);
    if (twin !== undefined || seen.has(column.toLowerCase())) {
      const both = `${JSON.stringify(twin ?? column)} and ${JSON.stringify(column)}`;
      throw new PipelineError(
        'SRC_SHAPE_CHANGED',
        `${what} has two columns for ${name ?? column}: ${both}`,
      );
    }
    seen.add(column.toLowerCase());
    if (name === undefined) unknown.push(column);
    else known.set(name, column);
  }
  return { known, unknown };
}
