import type { JSX } from 'preact';
import type { TableCut } from '../engine/look/table-cut.ts';
import { isNumeric, TOGETHER } from '../engine/look/table-series.ts';
import type { TableSeries } from '../engine/look/table-series.ts';
import { definedMembers } from '../given.ts';
import { percent } from '../pipelines/calendar-of-days.ts';
import type {
  AnswerRow,
  ChartDefinition,
  TableColumn,
  TableDefinition,
} from '../pipelines/tables.ts';
import { DataRows } from './answer-page.tsx';
import { Chart } from './charts/chart.tsx';
import { DRAWN_AS, linkOf, rowsQueryOf } from './explorer-query.ts';
import type { Explored } from './explorer-query.ts';
import { AskForm, Choice, RangeFields } from './fields.tsx';
import { linkTo } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * A table with a choice of days, columns and chart; what is chosen as files, as a link and as a
 * command. All of it works without scripts.
 */

const FORMATS = ['csv', 'parquet', 'arrow', 'json', 'ndjson'];

/** What the page shows. */
export interface ExplorerView {
  readonly table: TableDefinition;
  readonly explored: Explored;
  readonly cut: TableCut;
  /** The first of them. */
  readonly rows: readonly AnswerRow[];
  readonly columns: readonly TableColumn[];
  /** Or why there is no chart. */
  readonly drawn: TableSeries | string | null;
  /** Where the server is, as whoever looks has named it: `https://example.org`. */
  readonly origin: string;
}

/** The whole page below its title. */
export function ExplorerPage({
  page,
  view,
}: {
  readonly page: PageContext;
  readonly view: ExplorerView;
}): JSX.Element {
  const { words, language } = page;
  const { table, explored, cut, rows, columns } = view;
  return (
    <>
      <p>{table.description[language]}</p>
      <ChoiceForm page={page} table={table} explored={explored} />
      <p>
        {`${words.standsOn} ${table.id}, ${cut.span.from} … ${cut.span.to}, ${words.coverage} ${cut.coverage === null ? '–' : percent(cut.coverage)}, ${words.revision} ${cut.revision ?? '–'}`}
      </p>
      <Drawing page={page} view={view} />
      <Takeaway page={page} view={view} />
      <DataRows page={page} title={table.title[language]} columns={columns} rows={rows} />
    </>
  );
}

function ChoiceForm({
  page,
  table,
  explored: { range, asOf, columns, chart, kind },
}: {
  readonly page: PageContext;
  readonly table: TableDefinition;
  readonly explored: Explored;
}): JSX.Element {
  const { words } = page;
  const places = table.columns.map(({ name }) => name);
  const numbers = table.columns.filter(isNumeric);
  const groups = table.columns
    .filter(({ type }) => type === 'text' || type === 'boolean')
    .map(({ name }) => name);
  return (
    <AskForm page={page} path={`/console/tables/${table.id}`}>
      {asOf === undefined ? null : <input type="hidden" name="as_of" value={asOf} />}
      <RangeFields words={words} range={range} />
      <details>
        <summary>{`${words.columns} (${columns?.length ?? places.length} / ${places.length})`}</summary>
        <Boxes
          name="columns"
          legend={words.columns}
          of={table.columns}
          page={page}
          chosen={columns ?? places}
        />
      </details>
      {chart === null ? null : (
        <>
          <Choice name="kind" label={words.chart} choices={DRAWN_AS} words={words} value={kind} />
          <Choice name="x" label={words.along} choices={places} value={chart.x} />
          <details>
            <summary>{`${words.values} (${chart.y.length})`}</summary>
            <Boxes name="y" legend={words.values} of={numbers} page={page} chosen={chart.y} />
          </details>
          <Choice
            name="series"
            label={words.series}
            choices={groups}
            isOptional
            value={chart.series}
          />
          <Choice
            name="together"
            label={words.together}
            choices={TOGETHER}
            words={words}
            value={chart.together}
          />
        </>
      )}
    </AskForm>
  );
}

function Boxes({
  page: { language },
  name,
  legend,
  of,
  chosen,
}: {
  readonly page: PageContext;
  readonly name: string;
  readonly legend: string;
  readonly of: readonly TableColumn[];
  readonly chosen: readonly string[];
}): JSX.Element {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {of.map((column) => (
        <label key={column.name} class="tick" title={column.title[language]}>
          <input
            type="checkbox"
            name={name}
            value={column.name}
            checked={chosen.includes(column.name)}
          />{' '}
          {column.name}
        </label>
      ))}
    </fieldset>
  );
}

/** How the chart of a view is drawn. */
export function chartOf({
  table,
  explored: { chart, kind },
}: Pick<ExplorerView, 'table' | 'explored'>) {
  if (chart === null) return null;
  const units = new Set(
    chart.y.map((name) =>
      chart.together === 'count' ? undefined : table.columns.find((one) => one.name === name)?.unit,
    ),
  );
  const [unit] = units;
  const { x, y, series } = chart;
  const definition: ChartDefinition = { kind, x, y, ...definedMembers({ series }) };
  return unit === undefined || units.size > 1 ? definition : { ...definition, unit };
}

/** The drawing of the server; with scripts, one that can be looked into takes its place. */
function Drawing({
  page,
  view,
}: {
  readonly page: PageContext;
  readonly view: ExplorerView;
}): JSX.Element | null {
  const { words, language } = page;
  const { table, explored, drawn } = view;
  const chart = chartOf(view);
  if (chart === null || drawn === null) return null;
  if (typeof drawn === 'string') return <p>{drawn}</p>;
  const title = `${chart.y.join(', ')} (${table.title[language]})`;
  const data = `/console/tables/${table.id}/chart.json?${linkOf(explored, explored.asOf)}`;
  return (
    <figure
      id="explorer"
      data-chart={explored.kind === 'scatter' ? undefined : data}
      data-kind={explored.kind}
      data-language={language}
      data-help={words.chartKeys}
    >
      <div class="plot">
        <Chart chart={chart} rows={drawn.rows} title={title} language={language} />
      </div>
      <output class="reading" />
      <figcaption>
        {[
          `${drawn.counted} ${words.rows}, ${drawn.rows.length} ${words.points} (${words[explored.chart?.together ?? 'mean']})`,
          drawn.leftOut === 0 ? undefined : `${words.series}: + ${drawn.leftOut}`,
        ]
          .filter(Boolean)
          .join('; ')}
      </figcaption>
    </figure>
  );
}

/** The same rows elsewhere: as files, as an address that stays what it is, and as a command. */
function Takeaway({
  page,
  view,
}: {
  readonly page: PageContext;
  readonly view: ExplorerView;
}): JSX.Element {
  const { words } = page;
  const { table, explored, cut, origin } = view;
  const query = rowsQueryOf(explored);
  const file = `/api/v1/tables/${table.id}/file`;
  const key = origin.startsWith('https:') ? ` -H 'Authorization: Bearer qtd_…'` : '';
  const asOf = explored.asOf ?? cut.committedAt ?? undefined;
  return (
    <>
      <p>
        {words.download}:{' '}
        {FORMATS.map((format) => (
          <>
            <a key={format} href={`${file}.${format}?${query}`}>
              {format}
            </a>{' '}
          </>
        ))}
        <a href={`${file}.csv?${query}&dialect=fr`}>csv (fr)</a>{' '}
        <a href={`${file}.xlsx?${query}`}>xlsx</a>{' '}
        <a href={`/api/v1/tables/${table.id}/proof?${proofQueryOf(explored)}`}>{words.proof}</a>{' '}
        <a href={linkTo(page, `/console/tables/${table.id}?${linkOf(explored, asOf)}`)}>
          {words.permanent}
        </a>
      </p>
      <pre id="curl">{`curl${key} '${origin}${file}.csv?${query}'`}</pre>
    </>
  );
}

function proofQueryOf({ range, asOf }: Explored): string {
  return new URLSearchParams({ ...range, ...definedMembers({ as_of: asOf }) }).toString();
}
