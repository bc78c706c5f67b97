import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diff } from '../../../src/cli/look/diff.ts';
import { show } from '../../../src/cli/look/show.ts';
import { verify } from '../../../src/cli/look/verify.ts';
import type { Dossier } from '../../../src/engine/look/day-dossier.ts';
import { recordDecision } from '../../../src/engine/records/decisions.ts';
import { recordAction } from '../../../src/engine/records/operator-actions.ts';
import type { NameRows } from '../../../src/pipelines/dataset.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import type { TestContext } from '../../fixtures/cli-context.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * Five days; the third was held, accepted and revised since; the fourth failed later; a sixth only
 * failed.
 */
const DAYS = datesBetween('2024-03-01', '2024-03-05');
const [, , REVISED = '', KEPT = ''] = DAYS;
const FAILED = '2024-03-06';

let publisher: TinyPublisher;
let engine: TestEngine;
let context: TestContext;

beforeAll(async () => {
  publisher = await startTinyPublisher([...DAYS, FAILED]);
  publisher.publish(REVISED, { hours: { 3: null, 4: 2_000 } });
  const start = Date.parse('2024-04-01T00:00:00Z');
  let seconds = 0;
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url, holdAbove: 1_000 })], {
    now: () => new Date(start + 1_000 * (seconds += 1)),
  });
  await runDays(engine, 'tiny', DAYS.slice(0, 2));
  await runDay(engine, 'tiny', REVISED, { decide: 'accept' });
  await runDays(engine, 'tiny', DAYS.slice(3));
  await rollUpDays(engine, 'tiny', DAYS);
  publisher.publish(REVISED, { status: 'consolidated' });
  await runDay(engine, 'tiny', REVISED, { recheck: true, reason: 'revision' });
  const strict = engine.withDatasets([tinyDataset({ baseUrl: publisher.url, failAbove: 10 })]);
  await runDay(strict, 'tiny', KEPT, { offline: true });
  publisher.refuse('readings', 404);
  await runDay(engine, 'tiny', FAILED);
});

afterAll(async () => {
  await engine.close();
  await publisher.close();
});

async function printed(
  command: (context: TestContext) => Promise<number>,
): Promise<{ exit: number; text: string; json: unknown }> {
  context = testContext(engine);
  const exit = await command(context);
  expect(context.terminal.values).toHaveLength(1);
  return { exit, text: context.terminal.text(), json: context.terminal.values[0] };
}

const showOf = (date: string, version?: string) =>
  printed((given) => show(given, { pipeline: 'tiny', date, version }));

describe('show', () => {
  it('tells what the newest version of a day is made of', async () => {
    const { exit, text } = await showOf(REVISED);
    expect(exit).toBe(0);
    expect(text).toMatch(
      /^tiny 2024-03-03 {2}ok, consolidated, coverage 100 % {2}\(version 2 of 2\)\ncommitted 2024-04-01T.* by test \(revision\)/,
    );
    expect(text).toMatch(
      /→ {3}2 {2}2024-04-01T\S+ \([^)]+ Europe\/Paris\) {2}revision {2}ok {8}changed: download\/readings, transform\/readings, metrics\/day/,
    );
    expect(text).toMatch(
      /transform\/readings {3}done {2}version 1, key \w{8}\n {4}core {9}\w{8} {2}24 rows, 1\.\d kB +core\/tiny\/hours\/date=2024-03-03\/\w{64}\.parquet/,
    );
    expect(text).toMatch(
      /readings {5}http:\/\/127\.0\.0\.1:\d+\/readings\.csv\?from=2024-03-03&to=2024-03-03\n {4}retrieved 2024-04-01T\S+ \([^)]+ Europe\/Paris\), processed by the publisher 3, ETag "\w+"\n {4}kept as raw\/tiny\/readings\//,
    );
    expect(text).toContain('revision           "consolidated"');
    expect(text).toMatch(/published as\n {2}reports\/tiny\/daily_report_2024-03-03\.csv$/m);
  });

  it('shows failing checks with examples, and who decided what, in an earlier version', async () => {
    const { text, json } = await showOf(REVISED, '1');
    expect(text).toContain('(version 1 of 2)');
    expect(text).toContain(
      '    ! value_present (warn) fails on 1 of 24 rows\n' +
        '        such as {"instant_at":"2024-03-03T02:00:00Z","value":null}\n',
    );
    expect(text).toContain('! value_plausible (hold) fails on 1 of 24 rows');
    expect(text).toMatch(
      /decisions\n {2}2024-04-01T\S+ \([^)]+ Europe\/Paris\) {2}transform\/readings \w{8} {2}accept: decided by a test/,
    );
    expect((json as Dossier).manifests.map(({ version }) => version)).toEqual([1]);
  });

  it('tells who decided and asked for what, also in runs that did not finish', async () => {
    const control = testControl();
    const by = 'ada@desk';
    const decision = {
      step: 'transform/readings',
      key: 'a'.repeat(64),
      decidedAt: '2024-04-02T00:00:00Z',
      by,
    } as const;
    await recordDecision(engine, control, {
      pipeline: 'tiny',
      scope: FAILED,
      decision: { ...decision, decision: 'reject', reason: 'a broken meter' },
    });
    const action = {
      pipeline: 'tiny',
      scope: FAILED,
      action: 'force',
      step: 'metrics',
      reason: 'to see',
      by,
    } as const;
    await recordAction(engine, control, action);
    const { text } = await showOf(FAILED);
    expect(text).toMatch(
      /decided, and not in this version\n {2}2024-04-02T\S+ \([^)]+ Europe\/Paris\) {2}transform\/readings aaaaaaaa {2}reject by ada@desk: a broken meter/,
    );
    expect(text).toMatch(
      /asked for by people\n {2}2024-04-01T\S+ \([^)]+ Europe\/Paris\) {2}force metrics by ada@desk: to see/,
    );
  });

  it('gives every manifest whole as JSON', async () => {
    const { json } = await showOf(REVISED);
    const { manifests, published, failure } = json as Dossier;
    expect(manifests.map(({ version, verdict }) => [version, verdict])).toEqual([
      [1, 'ok'],
      [2, 'ok'],
    ]);
    expect(manifests[0]?.steps['transform/readings']).toMatchObject({
      state: 'done',
      failedChecks: [{}, {}],
    });
    expect(published).toMatchObject([
      { key: 'reports/tiny/daily_report_2024-03-03.csv', current: true },
    ]);
    expect(failure).toBeNull();
  });

  it('shows a failed run beside the version that stays, and alone', async () => {
    expect((await showOf(KEPT)).text).toMatch(
      /version 1 of 1[\s\S]*last run failed\n {2}2024-04-01T\S+ \([^)]+ Europe\/Paris\) {2}transform\/readings {2}DATA_CHECK_FAILED: /,
    );
    const never = await showOf(FAILED);
    expect(never.exit).toBe(0);
    expect(never.text).toMatch(/^tiny 2024-03-06 {2}never finished\n\nlast run failed\n/);
  });

  it('shows periods as well', async () => {
    const month = await showOf('2024-03');
    expect(month.text).toMatch(
      /^tiny 2024-03 {2}ok {2}\(version 1 of 1\)[\s\S]*rollup\/month {9}done[\s\S]*published as\n {2}02_clean\/tiny_2024-03\.parquet$/,
    );
    expect((await showOf('all')).text).toContain('02_clean/tiny.parquet');
  });

  it('refuses days of which nothing is known, and versions that there are not', async () => {
    await expect(showOf('2024-05-01')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/nothing is known of tiny 2024-05-01/) as string,
    });
    await expect(showOf(REVISED, '3')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/versions 1 to 2/) as string,
    });
    await expect(showOf(REVISED, 'two')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(showOf('yesterday')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('diff', () => {
  const diffOf = (date: string, versions?: string) =>
    printed((given) => diff(given, { pipeline: 'tiny', date, versions }));

  it('names the first rows that differ as their dataset calls them, and says how many more there are', async () => {
    const core: NameRows = (rows) =>
      Promise.resolve(rows.map((row) => `${(row['instant_at'] as string).slice(11, 13)}h`));
    const named = {
      ...tinyDataset({ baseUrl: publisher.url }),
      rowNames: { 'transform/readings': { core } },
    };
    const given = testContext(engine.withDatasets([named]));
    await diff(given, { pipeline: 'tiny', date: REVISED });
    expect(given.terminal.text()).toMatch(
      /\n {4}rows changed: 23h, 00h, 01h, [^\n]*, 18h\n {4}and 4 more rows\n/,
    );
  });

  it('compares the last two versions step by step', async () => {
    const { exit, text, json } = await diffOf(REVISED);
    expect(exit).toBe(0);
    expect(text).toMatch(/^tiny 2024-03-03 {2}version 1 → 2\n/);
    expect(text).toContain('  revision                 "provisional" → "consolidated"');
    expect(text).toMatch(
      /transform\/readings {2}input readings changed \(\w{8} → \w{8}\)\n {2}core .* 24 → 24 rows by instant_at: 0 added, 0 removed, 24 changed/,
    );
    expect(text).toContain(
      '    value                    2 values; largest -1857 at 2024-03-03T03:00:00Z (2000 → 143)',
    );
    expect(text).toContain('    sum                      ');
    expect(json).toMatchObject({ from: { version: 1 }, to: { version: 2 } });
  });

  it('tells what was decided in between', async () => {
    const date = '2024-03-16';
    publisher.refuse('readings', undefined);
    publisher.publish(date);
    await runDay(engine, 'tiny', date);
    publisher.publish(date, { hours: { 4: 2_000 } });
    await runDay(engine, 'tiny', date, { recheck: true, decide: 'accept' });
    publisher.refuse('readings', 404);
    expect((await diffOf(date)).text).toMatch(
      /\ndecisions\n {2}2024-04-01T\S+ \([^)]+ Europe\/Paris\) {2}transform\/readings \w{8} {2}accept: decided by a test/,
    );
    expect((await diffOf(REVISED)).text).not.toContain('\ndecisions\n');
  });

  it('compares the versions that are asked for, in either direction', async () => {
    expect((await diffOf(REVISED, '2..1')).text).toContain(
      'largest +1857 at 2024-03-03T03:00:00Z (143 → 2000)',
    );
    expect((await diffOf(REVISED, '2..2')).text).toContain('No step differs.');
  });

  it('refuses a day with one version and versions that are none', async () => {
    await expect(diffOf(KEPT)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/has one version only/) as string,
    });
    await expect(diffOf(FAILED)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/has no version/) as string,
    });
    await expect(diffOf(REVISED, '1-2')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/such as 1\.\.2/) as string,
    });
    await expect(diffOf(REVISED, '1..9')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/no version 9/) as string,
    });
  });
});

describe('verify', () => {
  const verifyOf = (from: string, to?: string, by = engine) => {
    context = testContext(by);
    return verify(context, { pipeline: 'tiny', from, to });
  };

  it('finds a range identical, remarks on days without a version, and exits 0', async () => {
    expect(await verifyOf('2024-03-01', '2024-03-07')).toBe(0);
    expect(context.terminal.lines).toContain(
      '2024-03-03  identical  version 2, 7 steps, 8 outputs',
    );
    expect(context.terminal.text()).toMatch(/5 days rebuilt and compared: 5 identical; \d+\.\d s$/);
    expect(context.terminal.notes).toEqual([
      'nothing to verify on 2024-03-06 … 2024-03-07: no run has ended there',
    ]);
    expect(context.terminal.values[0]).toMatchObject({
      totals: { identical: 5, different: 0, not_rebuildable: 0 },
    });
  });

  it('is remembered by show', async () => {
    await verifyOf(REVISED);
    expect((await showOf(REVISED)).text).toMatch(
      /verified\n {2}2024-04-01T\S+ \([^)]+ Europe\/Paris\) {2}version 2: identical$/m,
    );
  });

  it('exits 1 when bytes differ and names the output', async () => {
    const drifted = engine.withDatasets([tinyDataset({ baseUrl: publisher.url, drift: 0.5 })]);
    expect(await verifyOf(REVISED, undefined, drifted)).toBe(1);
    expect(context.terminal.text()).toMatch(
      /different {2}metrics\/day \w{8} {2}metrics: rebuilt bytes differ \(\d+ bytes recorded, \d+ rebuilt\)/,
    );
  });

  it('exits 3 when a step cannot be rebuilt by this code', async () => {
    const raised = engine.withDatasets([
      tinyDataset({ baseUrl: publisher.url, transformVersion: 2 }),
    ]);
    expect(await verifyOf(REVISED, undefined, raised)).toBe(3);
    expect(context.terminal.text()).toMatch(
      /not rebuildable {2}transform\/readings \w{8} {2}was made by step version 1/,
    );
  });

  it('refuses ranges with nothing to verify', async () => {
    await expect(verifyOf(FAILED)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/has ended yet/) as string,
    });
    await expect(verifyOf('2024-03-05', '2024-03-01')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/is empty/) as string,
    });
    await expect(verifyOf('2019-03-05')).rejects.toMatchObject({ code: 'PLAN_INVALID' });
  });
});
