import type { Config } from '../config/load-config.ts';
import { findRunningServer } from '../dev/temporal/server-record.ts';
import { configuredTarget } from '../workers/temporal-target.ts';
import type { TemporalTarget } from '../workers/temporal-target.ts';

/** Which Temporal server there is for commands that only look: nothing is started for them. */
export interface KnownTemporal {
  readonly target: TemporalTarget;
  readonly source: 'configuration' | 'development server';
}

/**
 * The configured server (whether it answers or not), or the development server that runs for this home; undefined when there is
 * neither. Throws what Temporal's own configuration reader throws.
 */
export async function knownTemporal({ env, home }: Pick<Config, 'env' | 'home'>): Promise<KnownTemporal | undefined> {
  const target = configuredTarget(env);
  if (target !== undefined) return { target, source: 'configuration' };
  const running = await findRunningServer(home);
  return running === undefined
    ? undefined
    : { target: { connection: { address: running.address }, namespace: 'default' }, source: 'development server' };
}
