import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLedger } from '../../src/engine/records/ledger-reader.ts';
import { mapConcurrent } from '../../src/engine/map-concurrent.ts';
import { dayResult, resultOf, startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { ledgerKey } from '../../src/pipelines/ledger.ts';
import type { LedgerEntry } from '../../src/pipelines/ledger.ts';
import type { CivilDate, StepId } from '../../src/pipelines/vocabulary.ts';
import type { Installation } from '../fixtures/installation.ts';
import { openPortalInstallation } from '../fixtures/portal-installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/**
 * Many days, then again with nothing to do, then with a tenth of them damaged: exactly what was
 * damaged is made again.
 */

let publisher: TinyPublisher;
let installation: Installation;
let close: () => Promise<void>;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2023-01-01', '2023-12-31'));
  ({ installation, close } = await openPortalInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url }), eco2mix },
  }));
});

afterAll(async () => {
  await close();
  await publisher.close();
});

interface Case {
  readonly pipeline: string;
  readonly from: CivilDate;
  readonly to: CivilDate;
  readonly steps: Readonly<Record<Damage, StepId>>;
}

const DAMAGES = ['raw changed', 'artefact deleted', 'ledger entry removed'] as const;
type Damage = (typeof DAMAGES)[number];

const CASES: readonly Case[] = [
  {
    pipeline: 'tiny',
    from: '2023-01-01',
    to: '2023-12-31',
    steps: {
      'raw changed': 'download/readings',
      'artefact deleted': 'transform/readings',
      'ledger entry removed': 'metrics/day',
    },
  },
  {
    pipeline: 'eco2mix',
    from: '2026-05-01',
    to: '2026-05-31',
    steps: {
      'raw changed': 'download/tr',
      'artefact deleted': 'transform/national',
      'ledger entry removed': 'metrics/national',
    },
  },
];

/**
 * Every tenth day; first those of one damage, then those of the next, so that some share a month.
 */
function damagedDays(dates: readonly CivilDate[]): Map<Damage, CivilDate[]> {
  const tenth = dates
    .filter((_, index) => index % 10 === 3)
    .slice(0, Math.floor(dates.length / 30) * 3);
  const each = tenth.length / DAMAGES.length;
  return new Map(
    DAMAGES.map((damage, index) => [damage, tenth.slice(index * each, (index + 1) * each)]),
  );
}

async function damage(entry: LedgerEntry, how: Damage): Promise<void> {
  const { objects, documents } = installation.engine;
  if (how === 'artefact deleted')
    for (const ref of Object.values(entry.outputs)) await objects.delete(ref.key);
  if (how === 'raw changed')
    await appendFile(
      path.join(installation.home, 'store', entry.origin?.raw.key ?? ''),
      'tampered\n',
    );
  if (how === 'ledger entry removed')
    await documents.delete(ledgerKey(entry.pipeline, entry.scope, entry.step, entry.key));
}

async function entriesOf(pipeline: string, dates: readonly CivilDate[]): Promise<LedgerEntry[]> {
  return [...(await readLedger(installation.engine.documents, pipeline, dates)).values()].flat();
}

function hashesOf(entries: readonly LedgerEntry[]): string[] {
  return entries
    .map(({ scope, step, key, outputs }) => [
      scope,
      step,
      key,
      ...Object.values(outputs).map((ref) => ref.sha256),
    ])
    .map((words) => words.join(' '))
    .sort();
}

describe('a backfill', () => {
  it.each(CASES)(
    'of $pipeline $from … $to makes again exactly what was damaged',
    async ({ pipeline, from, to, steps }) => {
      const dates = datesBetween(from, to);
      const damaged = damagedDays(dates);
      const backfill = async () => {
        const start = performance.now();
        const result = await resultOf(
          await startBackfill(installation.target, { pipeline, from, to }),
        );
        return { result, seconds: ((performance.now() - start) / 1000).toFixed(1) };
      };
      // Made alone they have raw files of their own, so that changing these concerns no other day.
      await mapConcurrent(damaged.get('raw changed') ?? [], 4, async (date) => {
        expect(
          await dayResult(await startDay(installation.target, { pipeline, date })),
        ).toMatchObject({
          verdict: 'ok',
        });
      });
      const first = await backfill();
      const alone = damaged.get('raw changed')?.length ?? 0;
      expect(first.result).toMatchObject({ done: dates.length, failedDays: 0 });
      // What was made alone is made again only where it compares itself with the day before, which
      // was not there.
      expect(first.result.ran[steps['artefact deleted']]).toBe(dates.length - alone);
      const before = await entriesOf(pipeline, dates);

      const second = await backfill();
      expect(second.result).toMatchObject({
        selected: 0,
        complete: dates.length,
        windows: 0,
        days: 0,
        ran: {},
      });
      expect(await entriesOf(pipeline, dates)).toEqual(before);

      for (const [how, days] of damaged) {
        for (const entry of before) {
          if (entry.step === steps[how] && days.includes(entry.scope)) await damage(entry, how);
        }
      }
      const third = await backfill();
      const expected = Object.fromEntries(
        DAMAGES.map((how) => [steps[how], damaged.get(how)?.length]),
      );
      expect(third.result.ran).toEqual(expected);
      expect(third.result).toMatchObject({ failedDays: 0, waitingDays: 0 });
      expect(hashesOf(await entriesOf(pipeline, dates))).toEqual(hashesOf(before));

      const fourth = await backfill();
      expect(fourth.result).toMatchObject({ selected: 0, complete: dates.length });
      process.stderr.write(
        `${pipeline}: ${dates.length} days in ${first.seconds} s; again ${second.seconds} s, nothing ran; with damage ` +
          `${third.seconds} s, ran ${JSON.stringify(third.result.ran)}; again ${fourth.seconds} s, nothing ran\n`,
      );
    },
    120_000,
  );
});
