import { AsyncLocalStorage } from 'node:async_hooks';
import type { DocumentStore } from '../ports/documents.ts';
import type { ObjectBody, ObjectStore } from '../ports/objects.ts';
import type { SqlEngine, SqlSession } from '../ports/sql.ts';

/**
 * Whether an activity gets anywhere. Its heartbeats come from a timer, because a statement may take
 * longer than the server waits for one; the timer beats only while the work has given a sign of
 * life within the time that a single call may take at most.
 *
 * Signs are: a call of a port begins or ends, a document, a listed object or bytes arrive or leave,
 * a step tells its progress. Where an activity waits for the work of others, such as a free SQL
 * session, their standstill is not its own.
 */
export interface Life {
  /** How long there was no sign, in milliseconds of beats: a machine that slept was not silent. */
  silentMs: number;
  /** Waits for others that are under way. */
  waits: number;
}

const lives = new AsyncLocalStorage<Life>();

/** Runs the work of one activity. */
export function live<T>(life: Life, work: () => Promise<T>): Promise<T> {
  return lives.run(life, work);
}

/** Says that the activity which calls this, if any, has got somewhere. */
export function signOfLife(): void {
  const life = lives.getStore();
  if (life !== undefined) life.silentMs = 0;
}

/** Waits for what others do, for however long. */
export async function waitForOthers<T>(wait: () => Promise<T>): Promise<T> {
  const life = lives.getStore();
  if (life === undefined) return wait();
  life.waits += 1;
  try {
    return await wait();
  } finally {
    life.waits -= 1;
    life.silentMs = 0;
  }
}

/** A store whose every call is a sign of life, and every piece of a body or listing. */
export function livelyObjects(store: ObjectStore): ObjectStore {
  return {
    kind: store.kind,
    put: (key, body, options) => called(() => store.put(key, livelyBody(body), options)),
    async get(key, range) {
      const stream = await called(() => store.get(key, range));
      return stream === undefined ? undefined : livelyItems(stream);
    },
    head: (key) => called(() => store.head(key)),
    list: (prefix) => livelyItems(store.list(prefix)),
    delete: (...args) => called(() => store.delete(...args)),
    inspect: (ref) => called(() => store.inspect(ref)),
    openLocal: (ref, options) => called(() => store.openLocal(ref, options)),
  };
}

/** The same for documents. */
export function livelyDocuments(store: DocumentStore): DocumentStore {
  return {
    kind: store.kind,
    get: (key) => called(() => store.get(key)),
    put: (key, body, options) => called(() => store.put(key, body, options)),
    query: (query) => livelyItems(store.query(query)),
    partitions: (table) => livelyItems(store.partitions(table)),
    delete: (key) => called(() => store.delete(key)),
    createMany: (documents) => called(() => store.createMany(documents)),
    ...(store.deleteMany === undefined
      ? {}
      : { deleteMany: (keys) => called(async () => store.deleteMany?.(keys)) }),
    ...(store.compact === undefined
      ? {}
      : { compact: () => called(async () => store.compact?.()) }),
    close: () => store.close(),
  };
}

/** The same for statements; until its session begins, an activity waits for those of others. */
export function livelySql(engine: SqlEngine): SqlEngine {
  return {
    session(work, options) {
      let begin!: () => void;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const session = engine.session((sql) => {
        begin();
        return work(livelySession(sql));
      }, options);
      const ended = session.then(begin, begin);
      void waitForOthers(() => Promise.race([begun, ended]));
      return session;
    },
  };
}

function livelySession(sql: SqlSession): SqlSession {
  return {
    scratch: sql.scratch,
    borrowFolder: () => sql.borrowFolder(),
    run: (statement) => called(() => sql.run(statement)),
    runOnOneThread: (statement) => called(() => sql.runOnOneThread(statement)),
    rows: (statement) => called(() => sql.rows(statement)),
    batches: (statement) => livelyItems(sql.batches(statement)),
    atOnce: (items, work) => sql.atOnce(items, (item, lane) => work(item, livelySession(lane))),
    finish: () => called(() => sql.finish()),
  };
}

async function called<T>(call: () => Promise<T>): Promise<T> {
  signOfLife();
  const answer = await call();
  signOfLife();
  return answer;
}

function livelyBody(body: ObjectBody): ObjectBody {
  return Symbol.asyncIterator in body ? livelyItems(body) : body;
}

async function* livelyItems<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  signOfLife();
  for await (const item of items) {
    signOfLife();
    yield item;
  }
}
