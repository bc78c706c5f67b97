import { DECISION_TABLE } from '../../src/pipelines/decision.ts';
import type { DecisionRecord } from '../../src/pipelines/decision.ts';
import type { Manifest } from '../../src/pipelines/manifest.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { PIPELINE } from './dataset.ts';
import type { Installation } from './installation.ts';
import { startRun } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Random } from './random.ts';

/** Days whose data look odd wait for people. */

export function decision(random: Random): Omit<Operation, 'afterMs'> {
  const answer = random.pick(['accept', 'accept', 'reject', 'reject', 'retry']);
  return {
    what: `somebody answers the first held day: ${answer}`,
    act: async (installation) => {
      for (const workflowId of openDays(installation))
        if (await decided(installation, workflowId, answer)) return;
    },
  };
}

/** Accepts whatever is held now. */
export async function acceptHeld(installation: Installation): Promise<void> {
  for (const workflowId of openDays(installation))
    await decided(installation, workflowId, 'accept');
}

/** A rejected day stays as it was before, until somebody has it looked at once more. */
export async function lookOnceMore(installation: Installation): Promise<void> {
  const { documents } = installation.primary;
  const rejected = new Set<CivilDate>();
  for await (const partition of documents.partitions(DECISION_TABLE)) {
    for await (const { body } of documents.query<DecisionRecord>({
      table: DECISION_TABLE,
      partition,
    })) {
      if (body.decision === 'reject') rejected.add(body.scope);
    }
  }
  for (const date of rejected) {
    const input = {
      pipeline: PIPELINE,
      date,
      reason: 'manual',
      offline: true,
      fromStep: 'transform',
      why: 'a story',
    };
    startRun(installation, 'day', `day/${PIPELINE}/${date}`, input);
  }
}

/** Odd data that a version has without anybody's word. */
export function undecided({ scope, version, steps, decisions }: Manifest): string | undefined {
  const state = steps['transform/day'];
  if (state?.state !== 'done') return undefined;
  const accepted = decisions.some(
    ({ key, decision: word }) => key === state.key && word === 'accept',
  );
  return accepted
    ? undefined
    : `version ${version} of ${scope} has odd counts that nobody accepted`;
}

function openDays({ server }: Installation): string[] {
  return server.open
    .map(({ workflowId }) => workflowId)
    .filter((id) => id.startsWith(`day/${PIPELINE}/`));
}

async function decided(
  { server, scheduler }: Installation,
  workflowId: string,
  answer: string,
): Promise<boolean> {
  try {
    const said = await server.update(workflowId, 'decide', [
      { decision: answer, reason: 'a story', by: 'anna' },
    ]);
    scheduler.tell(String(said));
    return true;
  } catch {
    // It is not held, or it ends at this moment.
    return false;
  }
}
