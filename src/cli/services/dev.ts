import { applyReconcile } from '../../schedules/apply-reconcile.ts';
import { applySchedules } from '../../schedules/apply-schedules.ts';
import { listenToQueue } from '../../workers/object-queue.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { startApiNear } from './api-server.ts';
import { comparisonLines } from './schedules.ts';
import { openSampleHome } from './sample-home.ts';
import { portalRecord } from '../temporal/sample-portal.ts';
import { openTemporal } from '../temporal/temporal.ts';

/**
 * `quotidien dev`: server, workers, schedules and UI together until Ctrl-C; with the sample portal
 * in a sample home.
 */
export async function dev(context: CommandContext): Promise<ExitCode> {
  const { terminal, config } = context;
  const sample =
    (await portalRecord(config.home)) === undefined ? undefined : await openSampleHome(config.home);
  try {
    const session = await openTemporal(context);
    try {
      const schedules = await applySchedules(
        session.client,
        context.datasets,
        config.settings.QUOTIDIEN_TASK_QUEUE,
      );
      const { fallback } = await context.engine();
      if (fallback !== undefined) {
        await applyReconcile(session.client, fallback, config.settings.QUOTIDIEN_TASK_QUEUE);
      }
      const api = await startApiNear(context);
      terminal.data({
        console: `${api.url}/console`,
        temporal: session.target.connection.address,
        ui: session.uiUrl,
        schedules,
        home: config.home,
      });
      terminal.line(`Temporal   ${session.target.connection.address}`);
      if (session.uiUrl !== undefined) terminal.line(`UI         ${session.uiUrl}`);
      terminal.line(`Console    ${api.url}/console`);
      for (const line of comparisonLines(schedules, 'did')) terminal.line(`schedule   ${line}`);
      if (sample !== undefined) terminal.line(`portal     ${sample.portal.url} (sample data)`);
      terminal.line('Ctrl-C stops everything; nothing is lost.');
      try {
        const queue = await listenToQueue({
          config,
          engine: await context.engine(),
          client: session.client,
        });
        try {
          await Promise.race([untilAborted(context.signal), session.broken]);
        } finally {
          await queue?.close();
        }
        terminal.note('stopping: running steps end first');
      } finally {
        await api.close();
      }
    } finally {
      await session.close();
    }
  } finally {
    await sample?.portal.close();
  }
  return EXIT.done;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
