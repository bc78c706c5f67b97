import { describe, expect, it } from 'vitest';
import type { ExecutionStep } from '../../../src/pipelines/execution.ts';
import { runSteps } from '../../../src/pipelines/run-steps.ts';
import type {
  StepDone,
  StepFailed,
  StepWork,
  StepsDay,
  StepsRun,
} from '../../../src/pipelines/run-steps.ts';
import type { StepId, StepKey } from '../../../src/pipelines/vocabulary.ts';

const keyOf = (text: string): StepKey => text;

function step(
  id: StepId,
  reads: readonly StepId[] = [],
  more: Partial<ExecutionStep> = {},
): ExecutionStep {
  const [stage] = id.split('/') as [ExecutionStep['stage']];
  const inputs = reads.map((name) => ({ name, step: name, optional: false }));
  const common = {
    siblings: [],
    needsAnyOf: [],
    queue: 'compute',
    timeoutSeconds: 1,
    required: true,
  } as const;
  return { id, stage, title: id, inputs, ...common, ...more };
}

const LOAD = step('download/load');
const FORECAST = step('download/forecast');
const CLEAN = step('transform/clean', [LOAD.id]);
const SCORE = step('metrics/score', [FORECAST.id]);
const DAY: StepsDay = { date: '2026-03-01', state: {} };
const NEXT: StepsDay = { date: '2026-03-02', state: {} };

function allDone({ days }: StepWork, id: StepId): StepDone[] {
  return days.map(({ date }) => ({
    date,
    key: keyOf(`${id} ${date}`),
    how: 'ran',
    empty: false,
    held: [],
  }));
}

const good: StepsRun = {
  call: ({ id }, work) => Promise.resolve(allDone(work, id)),
  decide: () => Promise.resolve(undefined),
};

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const held = [{ check: 'balance', failed: 3, tested: 48 }];

describe('runSteps', () => {
  it('starts a step when what it reads has ended, whatever else still runs', async () => {
    const slow = deferred<StepDone[]>();
    const cleaned = deferred<undefined>();
    const running = runSteps(
      { steps: [LOAD, FORECAST, CLEAN, SCORE], days: [DAY] },
      {
        ...good,
        call: ({ id }, work) => {
          if (id === CLEAN.id) cleaned.resolve(undefined);
          return id === FORECAST.id ? slow.promise : Promise.resolve(allDone(work, id));
        },
      },
    );
    await cleaned.promise;
    slow.resolve([{ date: DAY.date, key: keyOf('late'), how: 'ran', empty: false, held: [] }]);
    expect(Object.keys((await running).get(DAY.date) ?? {}).at(-1)).toBe(SCORE.id);
  });

  it('calls a step once for all days that can run it, with the keys of what it reads', async () => {
    const calls: StepWork[] = [];
    const settled = { [LOAD.id]: { state: 'skipped', reason: 'not asked' } } as const;
    const states = await runSteps(
      { steps: [LOAD, CLEAN], days: [DAY, { ...NEXT, state: settled }] },
      {
        ...good,
        call: ({ id }, work) => {
          calls.push(work);
          return Promise.resolve(allDone(work, id));
        },
      },
    );
    const inputs = { [LOAD.id]: keyOf(`${LOAD.id} ${DAY.date}`) };
    expect(calls.map(({ days }) => days)).toEqual([
      [{ date: DAY.date, inputs: {} }],
      [{ date: DAY.date, inputs }],
    ]);
    expect(states.get(NEXT.date)?.[CLEAN.id]).toEqual({
      state: 'skipped',
      reason: `${LOAD.id} has no output`,
    });
  });

  it('asks about held data, and gives the step the state that is decided', async () => {
    const asked: unknown[] = [];
    const rejected = { state: 'failed', code: 'DATA_CHECK_FAILED', message: 'rejected' } as const;
    const states = await runSteps(
      { steps: [LOAD, CLEAN], days: [DAY, NEXT] },
      {
        call: ({ id }, work) => Promise.resolve(allDone(work, id).map((one) => ({ ...one, held }))),
        decide: (question) => {
          asked.push(question);
          return Promise.resolve(question.date === DAY.date ? rejected : undefined);
        },
      },
    );
    expect(asked[0]).toEqual({
      date: DAY.date,
      step: LOAD.id,
      key: keyOf(`${LOAD.id} ${DAY.date}`),
      checks: held,
    });
    expect(states.get(DAY.date)?.[LOAD.id]).toEqual(rejected);
    expect(states.get(NEXT.date)?.[LOAD.id]).toMatchObject({ state: 'done' });
  });

  it('keeps what was delivered when asking again fails or is given up', async () => {
    const delivered = { [LOAD.id]: { key: keyOf('before'), since: '2026-02-27' } };
    const failure = { code: 'SRC_FORBIDDEN', message: '403' };
    const states = async (run: Partial<StepsRun>) =>
      (await runSteps({ steps: [LOAD], days: [{ ...DAY, delivered }] }, { ...good, ...run })).get(
        DAY.date,
      )?.[LOAD.id];
    expect(
      await states({ call: () => Promise.resolve([{ date: DAY.date, failure }]) }),
    ).toMatchObject({
      state: 'done',
      key: 'before',
      kept: { ...failure, since: '2026-02-27' },
    });
    expect(await states({ call: () => Promise.resolve('not today') })).toMatchObject({
      kept: { code: 'SKIPPED' },
    });
    expect(await states({ leftOut: () => 'not today' })).toMatchObject({
      kept: { code: 'SKIPPED' },
    });
  });

  it('cuts a lost slice again without asking anybody when its download is left out or given up', async () => {
    const delivered = {
      [LOAD.id]: { key: keyOf('before'), since: '2026-02-27', recut: 'first' },
    } as const;
    const failure = { code: 'STORE_CORRUPT', message: 'the raw file is gone, too' };
    const outcome = async (
      run: Partial<StepsRun>,
      cut: (work: StepWork) => readonly (StepDone | StepFailed)[],
    ) => {
      const works: StepWork[] = [];
      const cutAgain: StepsRun['cutAgain'] = (_, work) => {
        works.push(work);
        return Promise.resolve(cut(work));
      };
      const days = [{ ...DAY, delivered }, NEXT];
      const states = await runSteps({ steps: [LOAD], days }, { ...good, ...run, cutAgain });
      expect(works.map(({ days }) => days)).toEqual([
        [{ date: DAY.date, inputs: {}, recut: 'only' }],
      ]);
      expect(states.get(NEXT.date)?.[LOAD.id]).toEqual({ state: 'skipped', reason: 'not today' });
      return states.get(DAY.date)?.[LOAD.id];
    };
    const ways: Partial<StepsRun>[] = [
      { leftOut: () => 'not today' },
      { call: () => Promise.resolve('not today') },
    ];
    for (const way of ways) {
      expect(await outcome(way, (work) => allDone(work, LOAD.id))).toMatchObject({
        key: 'before',
        kept: { code: 'SKIPPED' },
      });
      expect(await outcome(way, ({ days }) => days.map(({ date }) => ({ date, failure })))).toEqual(
        {
          state: 'skipped',
          reason: 'not today; what it delivered before is lost: the raw file is gone, too',
        },
      );
    }
  });

  it('changes nothing that it was given', async () => {
    const state = {};
    await runSteps({ steps: [LOAD, CLEAN], days: [{ ...DAY, state }] }, good);
    expect(state).toEqual({});
  });
});
