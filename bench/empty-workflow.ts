import { proxyActivities } from '@temporalio/workflow';

/** The least that any workflow can cost. */
export async function empty(): Promise<void> {
  // Nothing: what remains is the server's own cost.
}

const activities = proxyActivities<{ nothing(): Promise<void> }>({
  startToCloseTimeout: '30 seconds',
});

/** Four activities in a row that do nothing: the least that a day of four steps can cost. */
export async function fourActivities(): Promise<void> {
  for (let step = 0; step < 4; step += 1) await activities.nothing();
}
