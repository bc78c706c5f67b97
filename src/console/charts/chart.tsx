import type { JSX } from 'preact';
import type { AnswerRow, ChartDefinition, Language, TableColumn } from '../../pipelines/tables.ts';
import { BarList, Figures } from './lists.tsx';
import { Plot } from './plot.tsx';
import { seriesOf } from './series.ts';
import { Dots, HeatMap, Legend, Ring } from './shapes.tsx';
import type { ShapeOf } from './shapes.tsx';

const DIGITS = 3;

/**
 * A number as people of the language read it: whole from a thousand on, else with three digits that
 * count.
 */
function tellIn(language: Language): (value: number) => string {
  const whole = new Intl.NumberFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    maximumFractionDigits: 0,
  });
  const small = new Intl.NumberFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    maximumSignificantDigits: DIGITS,
  });
  return (value) => (Math.abs(value) >= 1_000 ? whole : small).format(value);
}

/**
 * Rows as a drawing made on the server, which needs no script; nothing where there is no number to
 * draw.
 */
export function Chart({
  chart,
  rows,
  title,
  language,
  columns = [],
}: {
  readonly chart: ChartDefinition;
  readonly rows: readonly AnswerRow[];
  readonly title: string;
  readonly language: Language;
  /** Of the rows: their titles are the names of series. */
  readonly columns?: readonly TableColumn[];
}): JSX.Element | null {
  const name = (own: string): string =>
    (chart.labels?.[own] ?? columns.find((column) => column.name === own)?.title)?.[language] ??
    own;
  const shape = { chart, rows, title, tell: tellIn(language), name };
  switch (chart.kind) {
    case 'ring':
      return <Ring {...shape} />;
    case 'heat':
      return <HeatMap {...shape} />;
    case 'scatter':
    case 'map':
      return <Dots {...shape} />;
    case 'list':
      return <BarList {...shape} />;
    case 'figures':
      return <Figures {...shape} />;
    case 'line':
    case 'bar':
    case 'stack':
    case 'stacked-bar':
      return <Placed {...shape} />;
  }
}

/** A legend where there is more than one series. */
function Placed(shape: ShapeOf): JSX.Element {
  const { chart, rows, title, tell, name } = shape;
  const placed = seriesOf(chart, rows);
  const names = placed.series.map((one) => one.name);
  const isOver = (one: string): boolean => chart.lines?.includes(one) === true;
  const inOrder = [...names.filter((one) => !isOver(one)), ...names.filter(isOver)];
  return (
    <>
      <Plot chart={chart} placed={placed} title={title} tell={tell} name={name} />
      {names.length > 1 ? <Legend names={inOrder.map(name)} /> : null}
    </>
  );
}
