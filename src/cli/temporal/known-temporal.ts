import type { Client } from '@temporalio/client';
import type { Config } from '../../config/load-config.ts';
import { PipelineError } from '../../errors.ts';
import { findRunningServer } from '@quotidien/temporal-program/server-standing';
import {
  configuredTarget,
  connectClient,
  developmentTarget,
} from '../../workers/temporal-target.ts';
import type { TemporalTarget } from '../../workers/temporal-target.ts';
import type { CommandContext } from '../shared/context.ts';

/** Which Temporal server there is for commands that only look: nothing is started for them. */
export interface KnownTemporal {
  readonly target: TemporalTarget;
  readonly source: 'configuration' | 'development server';
}

/**
 * The configured server (whether it answers or not), or the development server that runs for this
 * home; undefined when there is neither. Throws what Temporal's own configuration reader throws.
 */
export async function knownTemporal({
  env,
  home,
}: Pick<Config, 'env' | 'home'>): Promise<KnownTemporal | undefined> {
  const target = configuredTarget(env);
  if (target !== undefined) return { target, source: 'configuration' };
  const running = await findRunningServer(home);
  return running === undefined
    ? undefined
    : { target: developmentTarget(running.address, env), source: 'development server' };
}

/**
 * The target of commands that need a server and start none; `CONFIG_INVALID` when none is known.
 */
export async function targetOf(config: Pick<Config, 'env' | 'home'>): Promise<TemporalTarget> {
  const known = await knownTemporal(config);
  if (known !== undefined) return known.target;
  throw new PipelineError(
    'CONFIG_INVALID',
    'no Temporal server: set TEMPORAL_ADDRESS, or start one with workers by "quotidien dev"',
  );
}

/** Runs a command that only needs a client: no worker, and no server is started. */
export async function withClient<T>(
  { config }: Pick<CommandContext, 'config'>,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connectClient(await targetOf(config));
  try {
    return await work(client);
  } finally {
    await client.connection.close();
  }
}
