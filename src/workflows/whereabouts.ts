import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ActivityInterfaceFor } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { MaybeServed } from '../engine/contract.ts';
import { CONTROL_RETRY, LOCAL_CONTROL } from './control-retry.ts';

/**
 * Where a run goes on. Usually that is any worker; once a result says that what it is about is on one host alone, because a store is away,
 * everything that follows in this run goes to the task queue of that host.
 */
export class Whereabouts {
  #why: string | undefined;
  #host: { readonly host: string; readonly queue: string } | undefined;

  /** Takes note of how a piece of work was served, and passes its result on. */
  note<T extends MaybeServed>(result: T): T {
    const { served } = result;
    if (served === undefined) return result;
    this.#why ??= served.why;
    if (served.place.store === 'fallback') this.#host ??= { host: served.place.host, queue: served.queue };
    return result;
  }

  /** Whether the result is on another host than the one where this run goes on: then it is to be made there again. */
  isElsewhere({ served }: MaybeServed): boolean {
    return served?.place.store === 'fallback' && this.#host !== undefined && this.#host.host !== served.place.host;
  }

  /** The task queue for work that would go to `usual`. */
  queueFor(usual: string): string {
    return this.#host?.queue ?? usual;
  }

  /** Activities that only read and write the stores. */
  control(): ActivityInterfaceFor<Activities> {
    if (this.#host === undefined) return proxyLocalActivities<Activities>(LOCAL_CONTROL);
    return proxyActivities<Activities>({ ...CONTROL_RETRY, taskQueue: this.#host.queue });
  }

  /** What was said of the first work that the primary stores did not serve. */
  get degraded(): string | undefined {
    return this.#why;
  }

  /** For the details of a run. */
  get story(): string | undefined {
    if (this.#why === undefined) return undefined;
    const where = this.#host === undefined ? '' : ` The run goes on at the host ${this.#host.host}.`;
    return `Degraded: ${this.#why}.${where} \`quotidien reconcile\` brings everything to the stores once they are back.`;
  }
}
