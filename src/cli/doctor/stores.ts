import { createHash, randomUUID } from 'node:crypto';
import type { StorageChoice } from '../../config/storage-choice.ts';
import { PipelineError, asPipelineError, errorCodeOf } from '../../errors.ts';
import type { DocumentStore, ObjectStore, SqlEngine } from '../../storage/ports.ts';
import { timed } from './finding.ts';
import type { Finding } from './finding.ts';

/** Tries the stores for real, in a corner of their own that is empty again afterwards. */

const WRITERS = 8;

/** Which stores were chosen, and why. */
export function explainStores({ objects, documents }: StorageChoice): Finding[] {
  return Object.entries({ objects, documents }).map(([half, { kind, reason }]) => {
    return { area: 'stores', subject: `${half}: ${kind}`, status: 'ok', detail: `chosen because ${reason}` };
  });
}

/** Writes, reads back, compares and deletes an object, then lets eight writers race for one key. */
export async function examineObjects(objects: ObjectStore): Promise<Finding[]> {
  const folder = `doctor/${randomUUID()}`;
  return [
    await attempt('stores', `objects (${objects.kind})`, 'written, read back, compared, deleted', () =>
      roundTripObject(objects, `${folder}/probe.bin`),
    ),
    await attempt('stores', `objects (${objects.kind}), permissions`, 'listing is allowed', () => listOne(objects)),
    await attempt(
      'stores',
      `objects (${objects.kind}), create-only`,
      `of ${WRITERS} writers of one key exactly one won`,
      () => raceForObject(objects, `${folder}/race.bin`),
    ),
  ];
}

async function roundTripObject(objects: ObjectStore, key: string): Promise<void> {
  const bytes = Buffer.from(`written by the doctor as ${key}`);
  const examine = async (): Promise<void> => {
    await objects.put(key, bytes, { mediaType: 'application/octet-stream', mode: 'create' });
    const found = await readObject(objects, key);
    if (!found.equals(bytes)) throw corrupt(`${key} has ${found.byteLength} other bytes than were written`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if ((await objects.openLocal({ key, sha256, bytes: bytes.byteLength })) === undefined) {
      throw corrupt(`${key} cannot be opened as a local file`);
    }
  };
  await withTidying(examine, () => objects.delete(key));
  if ((await objects.head(key)) !== undefined) throw corrupt(`${key} is still there after it was deleted`);
}

/** Writing, reading and deleting are tried by the round trip; a role may still not list. */
async function listOne(objects: ObjectStore): Promise<void> {
  for await (const head of objects.list('doctor/')) if (head.key !== '') return;
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
      objects.put(key, Buffer.from([writer]), { mediaType: 'application/octet-stream', mode: 'create' }),
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

/** Writes, reads back, replaces by version and deletes a document, then lets eight writers race for one key. */
export async function examineDocuments(documents: DocumentStore): Promise<Finding[]> {
  const place = { table: DOCTOR_TABLE, partition: randomUUID() };
  return [
    await attempt('stores', `documents (${documents.kind})`, 'created, read back, replaced by version, deleted', () =>
      roundTripDocument(documents, { ...place, sort: 'probe' }),
    ),
    await attempt(
      'stores',
      `documents (${documents.kind}), create-only`,
      `of ${WRITERS} writers of one key exactly one won`,
      () => raceForDocument(documents, { ...place, sort: 'race' }),
    ),
  ];
}

type Key = Parameters<DocumentStore['get']>[0];

async function roundTripDocument(documents: DocumentStore, key: Key): Promise<void> {
  const name = `${key.table}:${key.partition}:${key.sort}`;
  const examine = async (): Promise<void> => {
    await documents.put(key, { writer: 'doctor' }, { expectedVersion: 0 });
    const found = await documents.get<{ writer?: string }>(key);
    if (found?.body.writer !== 'doctor') throw corrupt(`${name} does not read back as it was written`);
    await documents.put(key, { writer: 'doctor again' }, { expectedVersion: found.version });
    const late = await outcome(() => documents.put(key, { writer: 'too late' }, { expectedVersion: found.version }));
    if (late === 'won') throw corrupt(`${name} was replaced although its version had moved on`);
  };
  await withTidying(examine, () => documents.delete(key));
  if ((await documents.get(key)) !== undefined) throw corrupt(`${name} is still there after it was deleted`);
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
  if (winners.length !== 1) {
    throw corrupt(
      `of ${WRITERS} writers who created ${name} at once ${winners.length} were told that they had won; exactly one may`,
    );
  }
  if (kept !== winners[0])
    throw corrupt(`${name} holds what writer ${kept ?? 'nobody'} wrote, but writer ${winners[0] ?? ''} won`);
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
