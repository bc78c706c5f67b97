import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { definedMembers } from '../given.ts';
import type { Environment } from '../config/environment.ts';
import { openConnection } from './client-connection.ts';
import { dataConverterOf } from './payload-codec.ts';

/** Which Temporal server to use, and how. */
export interface TemporalTarget {
  readonly connection: NativeConnectionOptions & { readonly address: string };
  readonly namespace: string;
  /** How payloads are read and written; default: as they are. */
  readonly dataConverter?: DataConverter;
}

/** The default namespace of a development server at this address. */
export function developmentTarget(address: string, env: Environment): TemporalTarget {
  return { connection: { address }, namespace: 'default', dataConverter: dataConverterOf(env) };
}

/**
 * The server that the environment or Temporal's own configuration file names; undefined when
 * neither does.
 */
export function configuredTarget(env: Environment): TemporalTarget | undefined {
  const variables = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined),
  );
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: variables as Record<string, string>,
  });
  const { address } = connectionOptions;
  return address === undefined
    ? undefined
    : {
        connection: { ...connectionOptions, address },
        namespace: namespace ?? 'default',
        dataConverter: dataConverterOf(env),
      };
}

/** `STORE_UNAVAILABLE` when nobody answers at the address. */
export async function connectClient(target: TemporalTarget): Promise<Client> {
  return clientOf(await openConnection(target.connection), target);
}

/** A client on a connection to the target that is there already. */
export function clientOf(
  connection: Connection,
  { namespace, dataConverter }: TemporalTarget,
): Client {
  return new Client({ connection, namespace, ...definedMembers({ dataConverter }) });
}
