import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { smartMeter } from '../../src/datasets/smart-meter/index.ts';
import { meterKey } from '../../src/datasets/smart-meter/readings/meter-key.ts';
import { importFile } from '../../src/engine/download/import-file.ts';
import { protocolText } from '../fixtures/history-text.ts';
import { endRuntime, openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { testControl } from '../fixtures/test-engine.ts';

const [DATE, METERS] = ['2024-03-05', ['19283746501928', '19283746501935']] as const;

let installation: Installation;
beforeAll(async () => {
  installation = await openInstallation({ datasets: { 'smart-meter': smartMeter } });
});
afterAll(async () => {
  await installation.close();
  await endRuntime();
});

it('a day of meters leaves neither their ids nor their keys in the history of its run', async () => {
  const { engine, home, target } = installation;
  const lines = METERS.flatMap((meter) =>
    Array.from({ length: 46 }, (_, slot) => {
      const at = new Date(Date.parse(`${DATE}T00:00:00Z`) + slot * 1_800_000).toISOString();
      // The same value all day, a gap and a spike: rules of quality have rows to show.
      return slot === 7 ? '' : `${meter},${at},${slot === 20 ? 30_000 : 100}\n`;
    }),
  );
  const file = path.join(home, `curve-${METERS[0]}.csv`);
  await writeFile(file, `meter_id,start_at,wh\n${lines.join('')}`);
  await importFile(engine, 'smart-meter', file, testControl());
  const handle = await startDay(target, { pipeline: 'smart-meter', date: DATE });
  expect(await dayResult(handle)).toMatchObject({ version: 1 });
  const history = protocolText([(await handle.fetchHistory()).events]);
  expect(history).toContain(DATE);
  const secret = await engine.secret!();
  for (const meter of METERS) {
    expect(history).not.toContain(meter);
    expect(history).not.toContain(meterKey(secret, meter));
  }
}, 120_000);
