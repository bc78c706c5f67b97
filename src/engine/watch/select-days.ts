import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { workWindows } from '../../pipelines/work-window.ts';
import type { SelectDaysRequest, SelectedDays } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { SILENT, once } from '../in-pages.ts';
import type { PageControl } from '../in-pages.ts';
import { mendPeriods } from '../derive/mend-periods.ts';
import { loadPlan, plannedDates, selectSpan } from '../plan/plan-backfill.ts';

/**
 * The days of a span of a backfill as it starts: those of its plan, or those that the request means
 * now. A try after the selection goes on with it.
 */
export async function selectDays(
  engine: Engine,
  asked: SelectDaysRequest,
  running: ReadonlySet<CivilDate>,
  control: PageControl = SILENT,
): Promise<SelectedDays> {
  const { request, stretch: span } = asked;
  const told = `looked at ${request.pipeline} from ${span.from} to ${span.to}`;
  const selected = await once(control, asked, () => datesOf(engine, asked), told);
  const { dates, complete, degraded, noData, notDue } = selected;
  await mendPeriods(engine, request.pipeline, asked.stretch);
  const free = dates.filter((date) => !running.has(date));
  return {
    windows: workWindows(datasetOf(engine, request.pipeline).definition, free),
    running: dates.filter((date) => running.has(date)),
    complete,
    degraded,
    noData,
    notDue,
  };
}

async function datesOf(
  engine: Engine,
  { request, stretch: span, plan, except = [] }: SelectDaysRequest,
) {
  if (plan !== undefined) {
    const stored = await loadPlan(engine.documents, request.pipeline, plan);
    const dates = plannedDates(stored, span).filter((date) => !except.includes(date));
    return { dates, complete: 0, degraded: 0, noData: 0, notDue: 0 };
  }
  const { selected, complete, degraded, noData, notDue } = await selectSpan(engine, request, span, {
    except,
  });
  return { dates: selected.map(({ date }) => date), complete, degraded, noData, notDue };
}
