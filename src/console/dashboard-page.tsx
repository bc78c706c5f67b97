import type { JSX } from 'preact';
import type { Answer } from '../engine/look/ask-question.ts';
import type { AskedRange } from '../engine/look/range-of-days.ts';
import type { DashboardDefinition } from '../pipelines/tables.ts';
import { AnswerView } from './answer-page.tsx';
import { AskForm, RangeFields } from './fields.tsx';
import { linkTo } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/** Pages of charts that datasets declare, each over the days that are chosen for the whole page. */

/** A chart of the page: its answer, or why there is none. */
export interface DashboardPart {
  readonly chart: DashboardDefinition['charts'][number];
  readonly answer: Answer | string;
  /** The question with its parameters, as a query. */
  readonly query: string;
}

/** Each chart with its sentence, what it stands on, and its rows behind it. */
export function DashboardPage({
  page,
  dashboard,
  range,
  parts,
}: {
  readonly page: PageContext;
  readonly dashboard: DashboardDefinition;
  /** Days for all charts; empty for what each of them has without. */
  readonly range: AskedRange;
  readonly parts: readonly DashboardPart[];
}): JSX.Element {
  const { words, language } = page;
  return (
    <>
      <AskForm page={page} path={`/console/pages/${dashboard.id}`}>
        <RangeFields words={words} range={range} />
      </AskForm>
      {parts.map(({ chart, answer, query }, index) => (
        <section key={index} aria-labelledby={`chart-${index}`}>
          <h2 id={`chart-${index}`}>
            {typeof answer === 'string' ? (
              chart.title[language]
            ) : (
              <a
                href={linkTo(
                  page,
                  ['/console/questions/', chart.question, query === '' ? '' : `?${query}`].join(''),
                )}
              >
                {chart.title[language]}
              </a>
            )}
          </h2>
          {typeof answer === 'string' ? (
            <p>{answer}</p>
          ) : (
            <AnswerView
              page={page}
              answer={answer}
              title={chart.title[language]}
              query={query}
              kind={chart.kind}
              hasRowsBehind
            />
          )}
        </section>
      ))}
    </>
  );
}
