import type { ComponentChildren, JSX } from 'preact';

/** Parts of the report pages of all pipelines. */

/** A section that every report has. */
export function PlainSection(props: {
  id: string;
  title: string;
  children: ComponentChildren;
}): JSX.Element {
  const { id, title, children } = props;
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <div class="section-head">
        <h2 id={`${id}-title`}>{title}</h2>
      </div>
      {children}
    </section>
  );
}

interface TableProps {
  readonly caption: string;
  /** Heads of the columns; the first one is the column of names. */
  readonly head: readonly ComponentChildren[];
  readonly class?: string;
  readonly children: ComponentChildren;
}

/**
 * A table whose first column names its rows and whose other columns hold figures. Where it is wider
 * than the page it scrolls in its place, also by the keyboard: so it can be focused.
 */
export function FigureTable({
  caption,
  head,
  class: name = '',
  children,
}: TableProps): JSX.Element {
  return (
    <div class={`table ${name}`} role="group" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly name: ComponentChildren;
  readonly cells: readonly ComponentChildren[];
  readonly class?: string | undefined;
}

/** The name is the row's header; a null cell is drawn empty. */
export function Row({ name, cells, class: className }: RowProps): JSX.Element {
  return (
    <tr class={className}>
      <th scope="row">{name}</th>
      {cells.map((cell, index) => (
        <td key={index}>{cell}</td>
      ))}
    </tr>
  );
}
