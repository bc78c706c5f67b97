import { importFiles } from '../../src/engine/download/import-file.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { PARTS, PIPELINE } from './dataset.ts';
import { commanded } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Random } from './random.ts';
import { keepFile, onDisk } from './virtual-files.ts';

/** Somebody takes a publisher's file by hand, and imports it a while later. */
export function importOfFile(
  random: Random,
  dates: readonly CivilDate[],
): Omit<Operation, 'afterMs'> {
  const part = random.pick(PARTS);
  const [first, place] = [random.whole(0, dates.length - 1), random.whole(0, 1)];
  const last = random.whole(first, dates.length - 1);
  const [revises, laterMs] = [random.chance(0.5), random.pick([0, 10_000, 600_000])];
  const chosen = dates.slice(first, last + 1);
  return {
    what: `somebody imports ${part} of ${chosen[0] ?? ''}…${chosen.at(-1) ?? ''}`,
    act: async (installation) => {
      const { publishers, forgiven, scheduler } = installation;
      const publisher = publishers[part]!;
      if (revises) publisher.revise(chosen);
      const file = onDisk(keepFile(Buffer.from(publisher.answer(chosen[0]!, chosen.at(-1)!))));
      // Who imports says what is right, also when the publisher has said something newer meanwhile.
      for (const date of chosen) forgiven.add(date);
      if (laterMs > 0) await scheduler.turn(undefined, undefined, laterMs);
      await commanded(installation, 'import', async () => {
        const { engine, process } = await installation.command(
          installation.hosts[place]!,
          'import',
        );
        const control = {
          execution: { workflowId: 'cli/import', runId: 'import', attempt: 1 },
          signal: new AbortController().signal,
          progress: () => undefined,
        };
        const outcomes = await importFiles(engine, PIPELINE, [file], control);
        for (const outcome of outcomes)
          scheduler.tell(
            `${process.name}: ${'code' in outcome ? outcome.message : `${outcome.days} days`}`,
          );
      });
    },
  };
}
