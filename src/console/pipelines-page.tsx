import type { JSX } from 'preact';
import type { DaySpan } from '../pipelines/tables.ts';
import { linkTo } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * Where the console begins: each pipeline with its calendar, and the report of its newest day at
 * hand.
 */

/** A pipeline that whoever looks may see. */
export interface PipelineRow {
  readonly name: string;
  readonly title: string;
  /** Of the calendar that opens. */
  readonly year: string;
  /** Undefined where no day is finished yet. */
  readonly span: DaySpan | undefined;
  /** The last day of the span, where it has a page that whoever looks may read. */
  readonly reportOf: string | undefined;
}

/** One pipeline a line. */
export function PipelinesPage({
  page,
  rows,
}: {
  readonly page: PageContext;
  readonly rows: readonly PipelineRow[];
}): JSX.Element {
  const { words } = page;
  return (
    <ul>
      {rows.map(({ name, title, year, span, reportOf }) => (
        <li key={name}>
          <a href={linkTo(page, `/console/${name}/${year}`)}>{title}</a>
          {span === undefined ? null : ` ${words.known}: ${span.from} … ${span.to}`}
          {reportOf === undefined ? null : (
            <>
              {', '}
              <a
                href={`/api/v1/pipelines/${name}/days/${reportOf}/report.html`}
              >{`${words.report} ${reportOf}`}</a>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
