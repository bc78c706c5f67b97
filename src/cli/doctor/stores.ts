import { createHash, randomUUID } from 'node:crypto';
import type { StorageChoice } from '../../config/storage-choice.ts';
import { PipelineError, asPipelineError, errorCodeOf } from '../../errors.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ObjectStore } from '../../ports/objects.ts';
import type { SqlEngine } from '../../ports/sql.ts';
import { timed } from './finding.ts';
import type { Finding } from './finding.ts';

/** Tries the stores for real, in a corner of their own that is empty again afterwards. */

const WRITERS = 8;

/**
 * For one examination; a store that takes the connection and never answers would keep each of its
 * calls waiting for minutes.
 */
const ANSWER_WITHIN_MS = 20_000;

/**
 * Probes of a doctor that was killed, or whose store went silent, are removed by the next one after
 * this time.
 */
const PROBES_LAST_MS = 3_600_000;

interface Patience {
  /** Longest time of one examination. */
  readonly withinMs?: number;
}

/** Which stores were chosen, and why. */
export function explainStores({ objects, documents }: StorageChoice): Finding[] {
  return Object.entries({ objects, documents }).map(([half, { kind, reason }]) => {
    return {
      area: 'stores',
      subject: `${half}: ${kind}`,
      status: 'ok',
      detail: `chosen because ${reason}`,
    };
  });
}

/** Writes, reads back, compares and deletes an object, then lets eight writers race for one key. */
export function examineObjects(objects: ObjectStore, patience: Patience = {}): Promise<Finding[]> {
  // The time tells the next doctor how old a probe is that was left behind.
  const folder = `doctor/${new Date().toISOString().replaceAll(':', '-')}-${randomUUID()}`;
  const name = `objects (${objects.kind})`;
  return examinations(patience, [
    {
      subject: name,
      detail: 'written, read back, compared, deleted',
      work: () => roundTripObject(objects, `${folder}/probe.bin`),
    },
    {
      subject: `${name}, permissions`,
      detail: 'listing is allowed',
      work: () => listProbes(objects),
    },
    {
      subject: `${name}, create-only`,
      detail: `of ${WRITERS} writers of one key exactly one won`,
      work: () => raceForObject(objects, `${folder}/race.bin`),
    },
  ]);
}

async function roundTripObject(objects: ObjectStore, key: string): Promise<void> {
  const bytes = Buffer.from(`written by the doctor as ${key}`);
  const examine = async (): Promise<void> => {
    await objects.put(key, bytes, { mediaType: 'application/octet-stream', mode: 'create' });
    const found = await readObject(objects, key);
    if (!found.equals(bytes))
      throw corrupt(`${key} has ${found.byteLength} other bytes than were written`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if ((await objects.openLocal({ key, sha256, bytes: bytes.byteLength })) === undefined) {
      throw corrupt(`${key} cannot be opened as a local file`);
    }
  };
  await withTidying(examine, () => objects.delete(key));
  if ((await objects.head(key)) !== undefined)
    throw corrupt(`${key} is still there after it was deleted`);
}

/**
 * Writing, reading and deleting are tried by the round trip; a role may still not list. Removes
 * what earlier doctors left behind.
 */
async function listProbes(objects: ObjectStore): Promise<void> {
  const oldest = new Date(Date.now() - PROBES_LAST_MS).toISOString().replaceAll(':', '-');
  const old: string[] = [];
  for await (const { key } of objects.list('doctor/')) {
    const begun = /^doctor\/(\d{4}-\d\d-\d\dT[^/]{13})/.exec(key)?.[1] ?? '';
    if (begun < oldest) old.push(key);
  }
  for (const key of old) await objects.delete(key);
}

async function readObject(objects: ObjectStore, key: string): Promise<Buffer> {
  const stream = await objects.get(key);
  if (stream === undefined) throw corrupt(`${key} was written and is not there`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function raceForObject(objects: ObjectStore, key: string): Promise<void> {
  const examine = async (): Promise<void> => {
    const winners = await race((writer) =>
      objects.put(key, Buffer.from([writer]), {
        mediaType: 'application/octet-stream',
        mode: 'create',
      }),
    );
    const [kept] = await readObject(objects, key);
    judgeRace(key, winners, kept);
  };
  await withTidying(examine, () => objects.delete(key));
}

/** What the examination finds is told before what keeps its traces from being removed. */
async function withTidying(examine: () => Promise<void>, tidy: () => Promise<void>): Promise<void> {
  try {
    await examine();
  } catch (error) {
    await tidy().catch(() => undefined);
    throw error;
  }
  await tidy();
}

/** Of its own: what it leaves behind when it is killed is in nobody's way. */
export const DOCTOR_TABLE = 'doctor';

/**
 * Writes, reads back, replaces by version and deletes a document, then lets eight writers race for
 * one key.
 */
export function examineDocuments(
  documents: DocumentStore,
  patience: Patience = {},
): Promise<Finding[]> {
  const place = { table: DOCTOR_TABLE, partition: randomUUID() };
  const name = `documents (${documents.kind})`;
  return examinations(patience, [
    {
      subject: name,
      detail: 'created, read back, replaced by version, deleted',
      work: () => roundTripDocument(documents, { ...place, sort: 'probe' }),
    },
    {
      subject: `${name}, create-only`,
      detail: `of ${WRITERS} writers of one key exactly one won`,
      work: () => raceForDocument(documents, { ...place, sort: 'race' }),
    },
  ]);
}

interface Examination {
  readonly subject: string;
  readonly detail: string;
  readonly work: () => Promise<void>;
}

/**
 * One after the other; after one that a store left unanswered the others would only wait as long.
 */
async function examinations(
  { withinMs = ANSWER_WITHIN_MS }: Patience,
  all: readonly Examination[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { subject, detail, work } of all) {
    const finding = await attempt('stores', subject, detail, () => within(withinMs, work()));
    findings.push(finding);
    if (finding.detail.startsWith('STORE_UNAVAILABLE')) break;
  }
  return findings;
}

/** What is still under way then ends with the stores, which the command closes. */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new PipelineError('STORE_UNAVAILABLE', `it gave no answer within ${limitMs / 1_000} s`),
      );
    }, limitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Key = Parameters<DocumentStore['get']>[0];

async function roundTripDocument(documents: DocumentStore, key: Key): Promise<void> {
  const name = `${key.table}:${key.partition}:${key.sort}`;
  const examine = async (): Promise<void> => {
    await documents.put(key, { writer: 'doctor' }, { expectedVersion: 0 });
    const found = await documents.get<{ writer?: string }>(key);
    if (found?.body.writer !== 'doctor')
      throw corrupt(`${name} does not read back as it was written`);
    await documents.put(key, { writer: 'doctor again' }, { expectedVersion: found.version });
    const late = await outcome(() =>
      documents.put(key, { writer: 'too late' }, { expectedVersion: found.version }),
    );
    if (late === 'won') throw corrupt(`${name} was replaced although its version had moved on`);
  };
  await withTidying(examine, () => documents.delete(key));
  if ((await documents.get(key)) !== undefined)
    throw corrupt(`${name} is still there after it was deleted`);
}

async function raceForDocument(documents: DocumentStore, key: Key): Promise<void> {
  const examine = async (): Promise<void> => {
    const winners = await race((writer) => documents.put(key, { writer }, { expectedVersion: 0 }));
    judgeRace(key.sort, winners, (await documents.get<{ writer: number }>(key))?.body.writer);
  };
  await withTidying(examine, () => documents.delete(key));
}

async function race(write: (writer: number) => Promise<unknown>): Promise<number[]> {
  const writers = Array.from({ length: WRITERS }, (_, index) => index);
  const outcomes = await Promise.all(writers.map((writer) => outcome(() => write(writer))));
  return writers.filter((writer) => outcomes[writer] === 'won');
}

/** A lost race is an answer; any other error is thrown. */
async function outcome(write: () => Promise<unknown>): Promise<'won' | 'lost'> {
  try {
    await write();
    return 'won';
  } catch (error) {
    if (errorCodeOf(error) === 'STORE_CONFLICT') return 'lost';
    throw error;
  }
}

function judgeRace(name: string, winners: readonly number[], kept: number | undefined): void {
  const [winner, ...others] = winners;
  if (winner === undefined || others.length > 0) {
    throw corrupt(
      `of ${WRITERS} writers who created ${name} at once ${winners.length} were told that they had won; exactly one may`,
    );
  }
  if (kept !== winner)
    throw corrupt(`${name} holds what writer ${kept ?? 'nobody'} wrote, but writer ${winner} won`);
}

function corrupt(message: string): PipelineError {
  return new PipelineError('STORE_CORRUPT', message);
}

/** Starts the SQL engine and asks it for its version and limits. */
export async function examineSql(sql: SqlEngine | undefined): Promise<Finding> {
  if (sql === undefined) {
    return {
      area: 'sql',
      subject: 'engine',
      status: 'fail',
      detail: 'there is none',
      next: 'Use a worker of kind compute.',
    };
  }
  let limits = '';
  const finding = await attempt('sql', 'engine', 'answers', async () => {
    const [row] = await sql.session((session) =>
      session.rows<{ one: number; version: string; memory: string; threads: number }>(
        "SELECT 1 AS one, version() AS version, current_setting('memory_limit') AS memory, current_setting('threads') AS threads",
      ),
    );
    if (row?.one !== 1) throw new PipelineError('INTERNAL', 'SELECT 1 did not answer 1');
    limits = `DuckDB ${row.version}, memory limit ${row.memory}, ${row.threads} threads`;
  });
  return finding.status === 'ok' ? { ...finding, detail: limits } : finding;
}

async function attempt(
  area: Finding['area'],
  subject: string,
  detail: string,
  work: () => Promise<void>,
): Promise<Finding> {
  try {
    const { durationMs } = await timed(work);
    return { area, subject, status: 'ok', detail, durationMs };
  } catch (error) {
    const { code, message, remedy } = asPipelineError(error);
    return { area, subject, status: 'fail', detail: `${code}: ${message}`, next: remedy };
  }
}
