import type { JSX } from 'preact';
import { z } from 'zod';
import type { Answer } from '../engine/look/ask-question.ts';
import { percent } from '../pipelines/calendar-of-days.ts';
import type { AnswerRow, ChartKind, QuestionDefinition, TableColumn } from '../pipelines/tables.ts';
import { Chart } from './charts/chart.tsx';
import { AskForm } from './fields.tsx';
import { linkTo, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * Questions as forms, their answers as sentence, drawing and table; and tables to look through. All
 * of it works without scripts.
 */

const ROWS_SHOWN = 200;

interface Field {
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
}

/** One field for each parameter of the question. */
export function QuestionForm({
  page,
  question,
  given,
}: {
  readonly page: PageContext;
  readonly question: QuestionDefinition;
  readonly given: Readonly<Record<string, unknown>>;
}): JSX.Element {
  const schema = z.toJSONSchema(question.parameters, { io: 'input', unrepresentable: 'any' });
  const fields = Object.entries((schema.properties ?? {}) as Record<string, Field>);
  return (
    <AskForm page={page} path={`/console/questions/${question.id}`} button={page.words.ask}>
      {fields.map(([name, field]) => {
        const value = textOf(given[name] ?? field.default);
        return (
          <label key={name} title={field.description}>
            {name}
            {field.enum === undefined ? (
              <input name={name} value={value} />
            ) : (
              <select name={name}>
                {field.enum.map((choice) => (
                  <option key={choice} value={choice} selected={choice === value}>
                    {choice}
                  </option>
                ))}
              </select>
            )}
          </label>
        );
      })}
    </AskForm>
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

/** The sentence, the chart where there is one, what the answer stands on, and its rows. */
export function AnswerView({
  page,
  answer,
  title,
  query,
  kind,
  hasRowsBehind = false,
}: {
  readonly page: PageContext;
  readonly answer: Answer;
  readonly title: string;
  /** The parameters, as a query of the API. */
  readonly query: string;
  /** Draws otherwise than the question says. */
  readonly kind?: ChartKind | undefined;
  /** The rows are there when they are asked for. */
  readonly hasRowsBehind?: boolean;
}): JSX.Element {
  const { words, language } = page;
  const { question, sentence, columns, rows, chart, cuts } = answer;
  const drawn = chart === null ? null : { ...chart, kind: kind ?? chart.kind };
  const link = `/api/v1/questions/${question.id}`;
  const table = <DataRows page={page} title={title} columns={columns} rows={rows} />;
  return (
    <>
      <p class="answer">{sentence[language]}</p>
      {drawn === null ? null : (
        <Chart chart={drawn} rows={rows} title={title} language={language} columns={columns} />
      )}
      <p>
        {cuts.map(({ table: { id }, span, coverage }) => (
          <>
            {`${words.standsOn} ${id}, ${span.from} … ${span.to}, ${words.coverage} ${coverage === null ? '–' : percent(coverage)}`}{' '}
            <a href={`/api/v1/tables/${id}/proof?from=${span.from}&to=${span.to}`}>
              {words.proof}
            </a>{' '}
          </>
        ))}
        <a href={`${link}?${query}`}>JSON</a> <a href={`${link}.csv?${query}`}>CSV</a>
      </p>
      {hasRowsBehind ? (
        <details>
          <summary>{`${words.rows}: ${rows.length}`}</summary>
          {table}
        </details>
      ) : (
        table
      )}
    </>
  );
}

/** The first rows, with how many there are. */
export function DataRows({
  page: { words, language },
  title,
  columns,
  rows,
}: {
  /** What the rows are of: several tables of a page are told apart by it. */
  readonly title: string;
  readonly page: PageContext;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly AnswerRow[];
}): JSX.Element {
  const head = columns.map(({ title, unit }) =>
    unit === undefined ? title[language] : `${title[language]} (${unit})`,
  );
  return (
    <>
      <p>
        {rows.length > ROWS_SHOWN
          ? `${rows.length} ${words.rows}, ${ROWS_SHOWN} ${words.first}`
          : `${rows.length} ${words.rows}`}
      </p>
      <Rows
        caption={`${title} (${words.rows})`}
        head={head}
        rows={rows.slice(0, ROWS_SHOWN).map((row) => columns.map(({ name }) => cellOf(row[name])))}
      />
    </>
  );
}

function cellOf(value: AnswerRow[string] | undefined): string | number | null {
  if (value === null || value === undefined) return '–';
  return typeof value === 'boolean' ? String(value) : value;
}

/** Names that lead somewhere, with what is behind them. */
export function NamedList({
  page,
  items,
}: {
  readonly page: PageContext;
  readonly items: readonly {
    readonly path: string;
    readonly title: string;
    readonly text: string;
  }[];
}): JSX.Element {
  return (
    <ul>
      {items.map(({ path, title, text }) => (
        <li key={path}>
          <a href={linkTo(page, path)}>{title}</a> {text}
        </li>
      ))}
    </ul>
  );
}
