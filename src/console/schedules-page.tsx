import type { JSX } from 'preact';
import type { ScheduleComparison } from '../schedules/apply-schedules.ts';
import type { ListedSchedule } from '../schedules/list-schedules.ts';
import { Reason } from './fields.tsx';
import { linkTo, mayAct, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';
import { stateWord } from './state-words.ts';

/**
 * Every declared schedule as Temporal has it, where that is not what is declared, and what may be
 * done to each.
 */
export function SchedulesPage({
  page,
  schedules,
  compared,
  pipelines,
}: {
  readonly page: PageContext;
  readonly schedules: readonly ListedSchedule[];
  readonly compared: readonly ScheduleComparison[];
  readonly pipelines: readonly string[];
}): JSX.Element {
  const { words, nameHome } = page;
  const drift = compared.filter(({ standing }) => standing !== 'same');
  return (
    <>
      <Rows
        caption={words.schedules}
        head={[words.schedules, 'cron', words.state, words.nextTick, words.lastTick, words.missed]}
        rows={schedules.map(({ id, cron, exists, paused, note, next, last, missed, skipped }) => [
          id,
          cron,
          !exists
            ? words.notThere
            : paused
              ? [words.paused, note].filter(Boolean).join(': ')
              : words.active,
          next.map(({ at, date }) => `${at} (${date})`)[0] ?? '–',
          last === null ? '–' : `${last.at}: ${last.started?.status ?? last.status}`,
          missed.count + skipped.count,
        ])}
      />
      <h2>{words.drift}</h2>
      {drift.length === 0 ? (
        <p>{words.noDrift}</p>
      ) : (
        <>
          <Rows
            caption={words.drift}
            head={[words.schedules, words.state, words.why]}
            rows={drift.map(({ id, standing, differences }) => [
              id,
              stateWord(page, standing),
              differences
                .map(({ field, declared, actual }) => `${field}: ${actual} → ${declared}`)
                .join('; '),
            ])}
          />
          <pre>{nameHome('quotidien schedules apply')}</pre>
        </>
      )}
      {pipelines.some((pipeline) => mayAct(page, pipeline)) ? (
        <Forms page={page} schedules={schedules} pipelines={pipelines} />
      ) : null}
    </>
  );
}

function Forms({
  page,
  schedules,
  pipelines,
}: {
  readonly page: PageContext;
  readonly schedules: readonly ListedSchedule[];
  readonly pipelines: readonly string[];
}): JSX.Element {
  const { words } = page;
  return (
    <section aria-labelledby="actions">
      <h2 id="actions">{words.actions}</h2>
      {schedules
        .filter(({ exists }) => exists)
        .map(({ id, paused }) => (
          <div key={id}>
            <h3>{id}</h3>
            <Form
              page={page}
              path={`schedules/${id}/${paused ? 'resume' : 'pause'}`}
              label={words[paused ? 'resume' : 'pause']}
            />
            <Form page={page} path={`schedules/${id}/trigger`} label={words.trigger} isDated />
          </div>
        ))}
      {pipelines.map((pipeline) => (
        <div key={pipeline}>
          <h3>{pipeline}</h3>
          <Form page={page} path={`schedules/${pipeline}/watch`} label={words.watch} />
        </div>
      ))}
    </section>
  );
}

function Form({
  page,
  path,
  label,
  isDated,
}: {
  readonly page: PageContext;
  /** Below `/console`. */
  readonly path: string;
  readonly label: string;
  readonly isDated?: boolean;
}): JSX.Element {
  return (
    <form method="post" action={linkTo(page, `/console/${path}`)}>
      {isDated === true ? (
        <label>
          {page.words.ofDate}
          <input type="date" name="date" />
        </label>
      ) : null}
      <Reason label={page.words.reason} />
      <button type="submit">{label}</button>
    </form>
  );
}
