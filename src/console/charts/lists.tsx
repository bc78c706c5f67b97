import type { JSX } from 'preact';
import type { ShapeOf } from './shapes.tsx';

/**
 * Names with a bar or a figure each: they wrap on a narrow screen, and read without the drawing.
 */

const SHOWN = 20;

/** The rows in their order, each with a bar as long as its value. */
export function BarList({
  chart: { x, y, unit },
  rows,
  title,
  tell,
  name: nameOf,
}: ShapeOf): JSX.Element | null {
  const found = rows.flatMap((row) => {
    const value = row[y[0] ?? x];
    return typeof value === 'number' ? [{ name: nameOf(String(row[x] ?? '–')), value }] : [];
  });
  const largest = found.reduce((most, { value }) => Math.max(most, value), 0);
  if (found.length === 0) return null;
  return (
    <ol class="bars" aria-label={title}>
      {found.slice(0, SHOWN).map(({ name, value }, index) => (
        <li key={index}>
          <span>{name}</span>
          <Bar of={largest === 0 ? 0 : Math.max(0, value) / largest} />
          <span>{unit === undefined ? tell(value) : `${tell(value)} ${unit}`}</span>
        </li>
      ))}
    </ol>
  );
}

function Bar({ of }: { readonly of: number }): JSX.Element {
  return (
    <svg class="c0" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect width={(of * 100).toFixed(1)} height="8" fill="currentColor" />
    </svg>
  );
}

/**
 * One figure a row: its name, its value with the unit of the row or of all, and where it is from 0
 * to 100 % a gauge.
 */
export function Figures({
  chart: { x, y, unit, series },
  rows,
  title,
  tell,
  name,
}: ShapeOf): JSX.Element | null {
  const [value] = y;
  if (value === undefined || rows.length === 0) return null;
  return (
    <dl class="figures" aria-label={title}>
      {rows.map((row, index) => {
        const own = series === undefined ? unit : (row[series] ?? unit)?.toString();
        // A share is told as people read it.
        const isShare = own === '1';
        const given = row[value];
        const figure = isShare && typeof given === 'number' ? given * 100 : given;
        const of = isShare ? '%' : own;
        const told = typeof figure === 'number' ? tell(figure) : String(figure ?? '–');
        return (
          <div key={index}>
            <dt>{name(String(row[x]))}</dt>
            <dd>
              {of === undefined ? told : `${told} ${of}`}
              {of === '%' && typeof figure === 'number' ? (
                <Bar of={Math.min(100, Math.max(0, figure)) / 100} />
              ) : null}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
