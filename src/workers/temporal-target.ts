import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Environment } from '../config/environment.ts';

/** Which Temporal server to use, and how. */
export interface TemporalTarget {
  readonly connection: NativeConnectionOptions & { readonly address: string };
  readonly namespace: string;
}

/** The server that the environment or Temporal's own configuration file names; undefined when neither does. */
export function configuredTarget(env: Environment): TemporalTarget | undefined {
  const variables = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: variables as Record<string, string>,
  });
  const { address } = connectionOptions;
  return address === undefined
    ? undefined
    : { connection: { ...connectionOptions, address }, namespace: namespace ?? 'default' };
}

export async function connectClient(target: TemporalTarget): Promise<Client> {
  const connection = await Connection.connect(target.connection);
  return new Client({ connection, namespace: target.namespace });
}
