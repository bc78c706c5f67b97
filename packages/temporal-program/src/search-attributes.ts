import { setTimeout as delay } from 'node:timers/promises';

import { isGrpcServiceError } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

import { TemporalProgramError } from './program-error.ts';
import type { ProgramErrorCode } from './program-error.ts';

const types = proto.temporal.api.enums.v1.IndexedValueType;

/**
 * The types a search attribute can have, as the `temporal` command spells them, with their numbers
 * in the API.
 */
const TYPE_NUMBERS = {
  Text: types.INDEXED_VALUE_TYPE_TEXT,
  Keyword: types.INDEXED_VALUE_TYPE_KEYWORD,
  Int: types.INDEXED_VALUE_TYPE_INT,
  Double: types.INDEXED_VALUE_TYPE_DOUBLE,
  Bool: types.INDEXED_VALUE_TYPE_BOOL,
  Datetime: types.INDEXED_VALUE_TYPE_DATETIME,
  KeywordList: types.INDEXED_VALUE_TYPE_KEYWORD_LIST,
} as const satisfies Record<string, number>;

/** As in `temporal operator search-attribute create --type`. */
export type SearchAttributeTypeName = keyof typeof TYPE_NUMBERS;
/** By name of the attribute. */
export type SearchAttributeTypes = Readonly<Record<string, SearchAttributeTypeName>>;

/**
 * A server of several nodes reads new attributes at an interval of its own, a minute by default.
 */
const USABLE_WITHIN_MS = 90_000;
/** For a single call; a busy development server answers within a second. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * Registers the search attributes that the namespace lacks, waits until queries know them, and
 * returns their names. Throws `CONFIG_INVALID` when one exists with another type (a server that is
 * asked to add it again keeps the old type and says nothing), when the namespace is missing, or
 * when the caller may not register; `STORE_UNAVAILABLE` when the server does not answer.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
  wanted: SearchAttributeTypes,
  answerWithinMs = ANSWER_WITHIN_MS,
): Promise<readonly string[]> {
  const server: Server = {
    namespace,
    // Without a deadline a call to a server that is stopped, or behind a dead line, would wait for
    // ever.
    ask: (call) => connection.withDeadline(Date.now() + answerWithinMs, () => call(connection)),
  };
  const missing = await missingAttributes(server, wanted);
  if (missing.length === 0) return [];
  const searchAttributes = Object.fromEntries(
    missing.map(([name, type]) => [name, TYPE_NUMBERS[type]]),
  );
  try {
    await server.ask(({ operatorService }) =>
      operatorService.addSearchAttributes({ namespace, searchAttributes }),
    );
  } catch (error) {
    // Another process may have added them between our look and now; then nothing is wrong.
    const stillMissing = await missingAttributes(server, wanted);
    if (stillMissing.length > 0) throw registrationError(error, namespace, stillMissing);
  }
  await missingAttributes(server, wanted);
  await untilUsable(server, missing);
  return missing.map(([name]) => name);
}

/** A namespace, and how to call its server. */
interface Server {
  readonly namespace: string;
  readonly ask: <T>(call: (connection: Connection) => Promise<T>) => Promise<T>;
}

type Attribute = readonly [name: string, type: SearchAttributeTypeName];

/** What has to be added; throws when one is there with another type. */
async function missingAttributes(
  { namespace, ask }: Server,
  wanted: SearchAttributeTypes,
): Promise<Attribute[]> {
  const listed = await ask(({ operatorService }) =>
    operatorService.listSearchAttributes({ namespace }),
  ).catch((error: unknown) => {
    throw registrationError(error, namespace, Object.entries(wanted));
  });
  const conflicts: string[] = [];
  const missing: Attribute[] = [];
  for (const [name, type] of Object.entries(wanted)) {
    const found = listed.customAttributes[name];
    if (found === undefined) missing.push([name, type]);
    else if (found !== TYPE_NUMBERS[type])
      conflicts.push(`${name} is ${typeName(found)} and must be ${type}`);
  }
  if (conflicts.length === 0) return missing;
  throw new TemporalProgramError(
    'CONFIG_INVALID',
    `search attributes of the Temporal namespace ${namespace} have another type: ${conflicts.join('; ')}. ` +
      'A type cannot be changed: use another namespace, or have an administrator remove the attribute ' +
      '(temporal operator search-attribute remove) when nothing else uses it.',
  );
}

function typeName(found: proto.temporal.api.enums.v1.IndexedValueType): string {
  const entry = Object.entries(TYPE_NUMBERS).find(([, number]) => number === found);
  return entry?.[0] ?? `of type ${found}`;
}

/**
 * Asks until a query over the new attributes is understood, with growing pauses: 50 ms at first, 5
 * s at most.
 */
async function untilUsable({ namespace, ask }: Server, added: readonly Attribute[]): Promise<void> {
  const query = added.map(([name]) => `${name} IS NOT NULL`).join(' AND ');
  const deadline = Date.now() + USABLE_WITHIN_MS;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      await ask(({ workflowService }) =>
        workflowService.countWorkflowExecutions({ namespace, query }),
      );
      return;
    } catch (error) {
      const status: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
      if (status !== GRPC.invalidArgument || Date.now() > deadline)
        throw registrationError(error, namespace, added);
    }
    await delay(pauseMs);
  }
}

/** The numbers of gRPC's status codes that are told apart here. */
const GRPC = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  denied: 7,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
};

function registrationError(
  error: unknown,
  namespace: string,
  attributes: readonly Attribute[],
): Error {
  if (!isGrpcServiceError(error)) return error instanceof Error ? error : new Error(String(error));
  const list = attributes.map(([name, type]) => `${name}=${type}`).join(', ');
  const said = error.details || error.message;
  const grpcCode: number = error.code;
  const fail = (code: ProgramErrorCode, message: string): TemporalProgramError =>
    new TemporalProgramError(code, message, { context: { namespace, grpcCode }, cause: error });
  switch (grpcCode) {
    case GRPC.unavailable:
    case GRPC.deadlineExceeded:
      return fail('STORE_UNAVAILABLE', `the Temporal server does not answer: ${said}`);
    case GRPC.notFound:
      return fail(
        'CONFIG_INVALID',
        `the Temporal namespace ${namespace} does not exist on this server (${said}): create it with ` +
          `"temporal operator namespace create --namespace ${namespace}", or set TEMPORAL_NAMESPACE to one that does.`,
      );
    case GRPC.denied:
    case GRPC.unimplemented:
    case GRPC.unauthenticated:
      return fail(
        'CONFIG_INVALID',
        `the Temporal server does not let us register search attributes in ${namespace} (${said}). Have an ` +
          `administrator add ${list} with "temporal operator search-attribute create --namespace ${namespace} ` +
          '--name NAME --type TYPE" (on Temporal Cloud: in the namespace’s settings), then start again.',
      );
    default:
      return fail(
        'CONFIG_INVALID',
        `search attributes ${list} cannot be registered in ${namespace}: ${said}`,
      );
  }
}
