import { MongoClient } from 'mongodb';
import type { MongoClientOptions } from 'mongodb';
import { mongoError, placeOfUrl } from './mongo-errors.ts';

/** Names in the URL are checked when the client is made, not when it first connects. */
export interface MongoConnection {
  readonly url: string;
  readonly database: string;
  /** Longest wait for a server that can be used; 5,000 unless given here or in the URL. */
  readonly selectTimeoutMs?: number;
  /** Longest silence of a connection; 60,000 unless given here or in the URL. */
  readonly answerTimeoutMs?: number;
}

/** What answers at the URL. */
export interface MongoServer {
  readonly product: 'MongoDB' | 'FerretDB';
  readonly version: string;
  /** Whether an update that names the version it replaces has one winner. */
  readonly atomicUpdates: boolean;
}

/**
 * A client with bounded waits; it connects at its first operation. `CONFIG_INVALID` for a URL that
 * cannot be read.
 */
export function createMongoClient(options: MongoConnection): MongoClient {
  const given = new URLSearchParams(options.url.split('?', 2)[1]);
  const bounds: Record<string, number> = {
    serverSelectionTimeoutMS: 5_000,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: options.answerTimeoutMs ?? 60_000,
    waitQueueTimeoutMS: 30_000,
    maxPoolSize: 32,
  };
  const own = Object.entries(bounds).filter(([name]) => !given.has(name));
  const waits: MongoClientOptions = Object.fromEntries(own);
  if (options.selectTimeoutMs !== undefined)
    waits.serverSelectionTimeoutMS = options.selectTimeoutMs;
  try {
    return new MongoClient(options.url, {
      appName: 'quotidien',
      writeConcern: { w: 'majority', journal: true },
      readConcern: { level: 'majority' },
      readPreference: 'primary',
      ...waits,
    });
  } catch (error) {
    throw mongoError(error, 'use', placeOfUrl(options.url));
  }
}

/** Asks a connected client what it is connected to. */
export async function describeMongoServer(client: MongoClient): Promise<MongoServer> {
  const found = (await client.db('admin').command({ buildInfo: 1 })) as Record<string, unknown>;
  const ferret = found['ferretdbVersion'];
  if (ferret === undefined)
    return { product: 'MongoDB', version: String(found['version']), atomicUpdates: true };
  return {
    product: 'FerretDB',
    version: typeof ferret === 'string' ? ferret : 'unknown',
    atomicUpdates: false,
  };
}
