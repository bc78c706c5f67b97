import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import type { ImportResult } from '../../../src/engine/download/import-file.ts';
import { readLedger } from '../../../src/engine/records/ledger-reader.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import type { PortalFault } from '@quotidien/sample-portal/faults';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { runDay } from '../../fixtures/run-day.ts';
import type { RunDayOptions } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { constantRows, portalCsv } from '../eco2mix/portal-csv.ts';
import type { PortalRow } from '../eco2mix/portal-csv.ts';

const DAY = '2024-05-05';
const NOW = new Date('2024-05-20T12:00:00Z');
const CONSOLIDATED = 'Données consolidées';
const DEFINITIVE = 'Données définitives';
const MEASURES = ['consommation', 'gaz', 'nucleaire'];
const VALUES = { consommation: 50_000, gaz: 4_000, nucleaire: 46_000 };

let engine: TestEngine;
afterEach(() => engine.close());

/** What the newest version says of a day's load and of its part. */
async function newest(part: string) {
  const manifest = (await readVersions(engine, 'eco2mix', DAY)).at(-1)!;
  const step = manifest.steps[`download/${part}`];
  return {
    version: manifest.version,
    verdict: manifest.verdict,
    coverage: manifest.facts['coverage'],
    kept: step?.state === 'done' ? step.kept : undefined,
  };
}

function published(): Promise<void> {
  return access(path.join(engine.home, 'store', 'reports', 'eco2mix', `daily_report_${DAY}.json`));
}

describe('a file with less than is known of its day', () => {
  beforeEach(async () => {
    engine = await openTestEngine([eco2mix], { now: () => NOW });
  });

  let files = 0;
  async function give(
    rows: readonly PortalRow[],
    { measures = MEASURES, force = false }: { measures?: readonly string[]; force?: boolean } = {},
  ): Promise<ImportResult> {
    const file = path.join(engine.home, `eco2mix-national-cons-def-${(files += 1)}.csv`);
    await writeFile(file, portalCsv(DAY, rows, measures));
    const [outcome] = await importFiles(engine, 'eco2mix', [file], testControl(), { force });
    if (outcome === undefined || 'code' in outcome) throw new Error(JSON.stringify(outcome));
    return outcome;
  }
  const run = (options: RunDayOptions = {}) =>
    runDay(engine, 'eco2mix', DAY, { offline: true, ...options });
  const whole = constantRows(DAY, 30, VALUES, CONSOLIDATED);

  it('is kept aside: the day stays whole, is degraded, and says what would be lost', async () => {
    await give(whole);
    await run();
    const taken = await give(whole.slice(0, 20));
    expect(taken.kept).toBe(1);
    expect(taken.remarks).toEqual([
      {
        date: DAY,
        text: 'the answer lacks 84 values (consommation 28, gaz 28, nucleaire 28) that are known',
        isKept: true,
      },
    ]);
    await run();
    expect(await newest('cons-def')).toMatchObject({
      version: 2,
      verdict: 'degraded',
      coverage: 1,
      kept: {
        code: 'LACKS_VALUES',
        message: expect.stringContaining('lacks 84 values') as string,
        since: '2024-05-20',
      },
    });
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'eco2mix', dates: [DAY] });
    expect(days).toMatchObject([{ result: 'identical' }]);
    // Neither a further run nor the same file again changes anything.
    expect((await run()).plan.upToDate).toBe(true);
    await give(whole.slice(0, 20));
    expect((await run()).version).toBe(2);
  });

  it('is what the plan, and the list of what is out of date, speak of before it is run', async () => {
    await give(whole);
    await run();
    await give(whole.slice(0, 20));
    const { plans } = await planFromStores(engine, eco2mix.definition, [DAY], { offline: true });
    expect(plans[0]).toMatchObject({ upToDate: false });
  });

  it('with one column under another name is named, and takes nothing away', async () => {
    await give(whole);
    await run();
    const renamed = whole.map((row) => ({ ...row, values: { ...VALUES, gas: 4_000 } }));
    const taken = await give(renamed, { measures: ['consommation', 'gas', 'nucleaire'] });
    expect(taken.remarks).toEqual([
      { date: DAY, text: 'the answer lacks 48 values (gaz 48) that are known', isKept: true },
    ]);
    await run();
    expect(await newest('cons-def')).toMatchObject({
      verdict: 'degraded',
      kept: { code: 'LACKS_VALUES' },
    });
  });

  it('without any load leaves the report where it is', async () => {
    await give(whole);
    await run();
    await give(whole.map((row) => ({ ...row, values: { ...VALUES, consommation: null } })));
    expect((await run()).outcome.verdict).toBe('degraded');
    await published();
    expect(await newest('cons-def')).toMatchObject({ coverage: 1 });
  });

  it('counts when somebody who knows better takes it as it is', async () => {
    await give(whole);
    await run();
    await give(whole.slice(0, 20), { force: true });
    await run();
    expect(await newest('cons-def')).toMatchObject({ version: 2, coverage: 0.4167 });
    expect((await newest('cons-def')).kept).toBeUndefined();
  });

  it('is forgotten as soon as a whole one comes', async () => {
    await give(whole);
    await run();
    await give(whole.slice(0, 20));
    await run();
    const taken = await give([...whole].reverse());
    expect(taken).toMatchObject({ kept: 0, remarks: [] });
    expect((await run()).outcome.verdict).toBe('ok');
  });

  it('counts at once when it has as many values: a correction, or one taken back and another given', async () => {
    await give(whole.slice(0, 47));
    await run();
    const moved = [
      ...whole.slice(1, 47),
      { ...whole[47]!, values: { ...VALUES, consommation: 60_000 } },
    ];
    expect(await give(moved)).toMatchObject({ kept: 0 });
    expect((await run()).version).toBe(2);
    expect((await newest('cons-def')).kept).toBeUndefined();
  });

  it('may have less as a later revision, but no less load', async () => {
    await give(whole);
    await run();
    const revised = (values: PortalRow['values']) => constantRows(DAY, 30, values, DEFINITIVE);
    await give(revised({ consommation: null, gaz: 1, nucleaire: 1 }));
    expect((await run()).outcome.verdict).toBe('degraded');
    expect(await newest('cons-def')).toMatchObject({ coverage: 1 });
    await give(revised({ ...VALUES, gaz: null }));
    expect((await run()).outcome.verdict).toBe('ok');
    expect((await newest('cons-def')).kept).toBeUndefined();
  });
});

describe('an answer with less than is known of its day', () => {
  const clock = { publisher: NOW };
  let portal: Portal;
  beforeAll(async () => {
    portal = await startPortal({ now: () => clock.publisher });
  });
  afterAll(() => portal.close());
  beforeEach(async () => {
    const odre = { url: portal.url, requestsPerSecond: 1_000 };
    engine = await openTestEngine(Object.values(configuredDatasets({ eco2mix }, { odre })), {
      now: () => NOW,
    });
  });

  const match = { dataset: 'eco2mix-national-tr', endpoint: 'export' } as const;
  const LESS: readonly (readonly [what: string, fault: PortalFault])[] = [
    [
      'ends after some rows',
      { kind: 'truncated', framing: 'chunked', end: 'row', afterBytes: 12_000, match },
    ],
    [
      'calls a column something else',
      { kind: 'header', change: { rename: 'gaz', to: 'gas' }, match },
    ],
  ];

  it.each(LESS)(
    'that %s is kept aside, asked for again, and forgotten when it is whole again',
    async (_what, fault) => {
      await runDay(engine, 'eco2mix', DAY);
      const before = await newest('tr');
      expect(before).toMatchObject({ version: 1, coverage: 1 });
      const undo = portal.behave(fault);
      try {
        for (let asked = 0; asked < 2; asked += 1) {
          clock.publisher = new Date(clock.publisher.getTime() + 86_400_000);
          expect((await runDay(engine, 'eco2mix', DAY, { recheck: true })).outcome.verdict).toBe(
            'degraded',
          );
        }
        expect(await newest('tr')).toMatchObject({
          version: 2,
          coverage: 1,
          kept: { code: 'LACKS_VALUES' },
        });
        await published();
      } finally {
        undo();
      }
      await runDay(engine, 'eco2mix', DAY, { recheck: true });
      expect(await newest('tr')).toMatchObject({
        version: 3,
        verdict: before.verdict,
        kept: undefined,
      });
    },
  );

  it.each([
    ['under another name', { rename: 'gaz', to: 'gas' }, 'gas'],
    ['less', { remove: 'gaz' }, ''],
  ])(
    'is held with a column %s when nothing is known of the day, and counts when somebody says so',
    async (_what, change, unknown) => {
      const undo = portal.behave({ kind: 'header', change, match });
      try {
        const { held, version } = await runDay(engine, 'eco2mix', DAY);
        expect({ held, version }).toEqual({ held: ['transform/national'], version: 0 });
        await expect(published()).rejects.toThrow();
        const ledger = (await readLedger(engine.documents, 'eco2mix', [DAY])).get(DAY)!;
        const entry = ledger.find(({ step }) => step === 'transform/national')!;
        expect(entry.checks.find(({ check }) => check === 'lost-columns')).toMatchObject({
          severity: 'hold',
          failed: 1,
          examples: [{ of: 'tr', unknown, missing: 'Gaz' }],
        });
        expect((await runDay(engine, 'eco2mix', DAY, { decide: 'accept' })).version).toBe(1);
        await published();
      } finally {
        undo();
      }
    },
  );

  it('does not count when another step is forced', async () => {
    await runDay(engine, 'eco2mix', DAY);
    const undo = portal.behave({ kind: 'header', change: { remove: 'gaz' }, match });
    try {
      await runDay(engine, 'eco2mix', DAY, { fromStep: 'metrics/national', recheck: true });
      expect((await newest('tr')).kept).toMatchObject({ code: 'LACKS_VALUES' });
    } finally {
      undo();
    }
  });

  it('counts when its download is forced', async () => {
    await runDay(engine, 'eco2mix', DAY);
    const undo = portal.behave({
      kind: 'truncated',
      framing: 'chunked',
      end: 'row',
      afterBytes: 12_000,
      match,
    });
    try {
      await runDay(engine, 'eco2mix', DAY, { fromStep: 'download/tr' });
      expect((await newest('tr')).coverage).toBeLessThan(1);
      expect((await newest('tr')).kept).toBeUndefined();
    } finally {
      undo();
    }
  });
});
