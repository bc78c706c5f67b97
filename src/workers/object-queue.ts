import { setTimeout as delay } from 'node:timers/promises';
import { Runtime } from '@temporalio/worker';
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import type { Client } from '@temporalio/client';
import type { Config } from '../config/load-config.ts';
import { awsAccessOf } from '../config/storage-choice.ts';
import type { Engine } from '../engine/engine.ts';
import { asPipelineError } from '../errors.ts';
import { hearObjects } from './hear-objects.ts';
import type { HeardObjects } from './hear-objects.ts';

/**
 * The queue (SQS) in which an object store tells of new objects. One request waits for messages at
 * the server, for as long as SQS allows; a message is removed after the runs that it is about have
 * been started, so that one which could not be heard comes again.
 */

/** Listens until it is closed. */
export interface ObjectQueue {
  /** Ends the request that waits; resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** What listening needs; `heard` is for logs. */
export interface QueueListener {
  readonly config: Pick<Config, 'settings' | 'env'>;
  readonly engine: Engine;
  readonly client: Client;
  /** Called with what came of each message, before it is removed. */
  readonly heard?: (heard: HeardObjects) => void;
}

/** The longest that SQS lets a request wait. */
const WAIT_SECONDS = 20;
const MAX_MESSAGES = 10;
/**
 * After a queue did not answer, or a message could not be heard; the SDK has tried several times by
 * then.
 */
const PAUSE_MS = 10_000;

/** Listens to the queue that the configuration names; undefined where it names none. */
export async function listenToQueue(listener: QueueListener): Promise<ObjectQueue | undefined> {
  const { settings, env } = listener.config;
  const queueUrl = settings.QUOTIDIEN_DEPOSIT_QUEUE;
  if (queueUrl === undefined) return undefined;
  const { SQSClient: Sqs } = await import('@aws-sdk/client-sqs');
  const access = awsAccessOf(env);
  // The address of the queue is that of the server as well.
  const { origin: endpoint } = new URL(queueUrl);
  const sqs = new Sqs({ ...access, endpoint, region: regionOf(queueUrl) ?? access.region });
  const stop = new AbortController();
  const ended = listen({ ...listener, sqs, queueUrl, signal: stop.signal });
  return {
    async close() {
      stop.abort();
      await ended;
      sqs.destroy();
    },
  };
}

interface Listening extends QueueListener {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly signal: AbortSignal;
}

async function listen(listening: Listening): Promise<void> {
  const { signal } = listening;
  while (!signal.aborted) {
    try {
      for (const message of await receive(listening)) await hear(listening, message);
    } catch (error) {
      if (isAborted(signal)) return;
      const { code, message } = asPipelineError(error);
      Runtime.instance().logger.warn(`the queue of deposits: ${code}: ${message}`);
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Asked anew: it changes while a request waits. */
function isAborted({ aborted }: AbortSignal): boolean {
  return aborted;
}

async function receive({ sqs, queueUrl, signal }: Listening): Promise<Message[]> {
  const { ReceiveMessageCommand } = await import('@aws-sdk/client-sqs');
  const request = {
    QueueUrl: queueUrl,
    WaitTimeSeconds: WAIT_SECONDS,
    MaxNumberOfMessages: MAX_MESSAGES,
  };
  return (
    (await sqs.send(new ReceiveMessageCommand(request), { abortSignal: signal })).Messages ?? []
  );
}

async function hear({ sqs, queueUrl, heard, ...rest }: Listening, message: Message): Promise<void> {
  const { DeleteMessageCommand } = await import('@aws-sdk/client-sqs');
  const taskQueue = rest.config.settings.QUOTIDIEN_TASK_QUEUE;
  const result = await hearObjects({ ...rest, taskQueue }, bodyOf(message));
  tell(result);
  heard?.(result);
  // Also while the worker ends: what has been started is not to be started again.
  await sqs.send(
    new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }),
  );
}

function tell({ runs, ignored, remarks }: HeardObjects): void {
  const { logger } = Runtime.instance();
  if (runs.length > 0) logger.info(`deposits: started ${runs.join(', ')}`);
  for (const { object, why } of ignored) logger.info(`deposits: ${object} starts nothing: ${why}`);
  for (const remark of remarks) logger.info(`deposits: ${remark}`);
}

/** A message that is no JSON is said and removed, as any that is about nothing. */
function bodyOf({ Body: body = '' }: Message): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function regionOf(queueUrl: string): string | undefined {
  return /^sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(new URL(queueUrl).hostname)?.[1];
}
