import type { FastifyRequest } from 'fastify';
import { PipelineError } from '../../errors.ts';
import type { PlacedQuestion } from '../../engine/look/ask-question.ts';
import type { PlacedTable } from '../../engine/look/table-cut.ts';
import { isAboutPeople } from '../../pipelines/about-people.ts';
import { classifiedColumns } from '../../pipelines/classification.ts';
import type { OutputDefinition, PipelineDefinition } from '../../pipelines/definition.ts';

/** Who asks, and what they may do. */

/** What a key may be good for; each may name one pipeline, as `data:read:eco2mix`. */
export const SCOPES = ['data:read', 'ops:read', 'ops:write', 'admin'] as const;

/** A scope without its pipeline. */
export type ScopeName = (typeof SCOPES)[number];

/** Whom a request is from, known before its route runs. */
export interface Caller {
  /** For the audit: `key:<id>`, the name of a person, or the address of who is neither. */
  readonly name: string;
  /** Of a key: whose it is. All keys of an owner have one quota together. */
  readonly owner?: string;
  /** Scopes, some with a pipeline: `data:read:eco2mix`. */
  readonly scopes: readonly string[];
  readonly anonymous: boolean;
  /** Of a person in a session; keys have none. */
  readonly role?: string;
}

/** Before it is known whom a request is from, and after somebody left. */
export const NOBODY: Caller = { name: 'nobody', scopes: [], anonymous: true };

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** A scope, or the same for this pipeline alone. */
export function hasScope({ scopes }: Caller, scope: ScopeName, pipeline?: string): boolean {
  return (
    scopes.includes(scope) || (pipeline !== undefined && scopes.includes(`${scope}:${pipeline}`))
  );
}

/** Of pipelines by name those about which the caller may see how they stand. */
export function seenBy(caller: Caller, pipelines: readonly string[]): string[] {
  return pipelines.filter((pipeline) => hasScope(caller, 'ops:read', pipeline));
}

/** Refuses by `AUTH_REQUIRED` who gave no key, by `AUTH_DENIED` who gave another. */
export function requireScope(
  { caller }: FastifyRequest,
  scope: ScopeName,
  pipeline?: string,
): void {
  const refusal = whyWithoutScope(caller, scope, pipeline);
  if (refusal !== undefined) throw refusal;
}

function whyWithoutScope(
  caller: Caller,
  scope: ScopeName,
  pipeline?: string,
): PipelineError | undefined {
  if (hasScope(caller, scope, pipeline)) return undefined;
  const wanted = pipeline === undefined ? scope : `${scope} or ${scope}:${pipeline}`;
  if (caller.anonymous)
    return new PipelineError(
      'AUTH_REQUIRED',
      `this needs a sign-in, or a key with the scope ${wanted}`,
    );
  const who = caller.role === undefined ? 'the key' : `the role ${caller.role}`;
  return new PipelineError('AUTH_DENIED', `${who} has not the scope ${wanted}`);
}

/** Lists of names: who may read something may see what there is. */
const LISTS = /^\/api\/v1\/(?:pipelines|tables|questions)$/;

/**
 * What every route of the API needs before it looks at what is its own: reading of the pipeline
 * that the request names, or of all. Tables and questions name theirs by what they read, and are
 * checked there.
 */
export function requireReading(request: FastifyRequest): void {
  const { url = '' } = request.routeOptions;
  const named = { ...(request.query as object), ...(request.params as object) } as {
    readonly pipeline?: string;
  };
  const readsSomething = request.caller.scopes.some((scope) => scope.startsWith('data:read'));
  const ownCheck = LISTS.test(url) || /^\/api\/v1\/(?:tables|questions)\//.test(url);
  if (ownCheck && readsSomething) return;
  requireScope(request, 'data:read', named.pipeline);
}

/**
 * Refuses who may not read a table: those with columns about people are for those who say who they
 * are, on whatever machine.
 */
export function mayReadTable({ caller }: FastifyRequest, placed: PlacedTable): void {
  const refusal = whyNotRead(caller, placed);
  if (refusal !== undefined) throw refusal;
}

function whyNotRead(caller: Caller, placed: PlacedTable): PipelineError | undefined {
  const { pipeline, table } = placed;
  if (!mayKnowPeople(caller) && hasPersonalColumns(placed))
    return new PipelineError(
      'AUTH_REQUIRED',
      `${table.id} has personal columns: ${HOW_TO_SAY_WHO} with data:read:${pipeline}`,
    );
  return whyWithoutScope(caller, 'data:read', pipeline);
}

/**
 * Why the caller may not ask a question; undefined where they may: it takes the right to read its
 * pipeline, and every table that it reads.
 */
export function whyNotAsk(
  caller: Caller,
  tables: ReadonlyMap<string, PlacedTable>,
  { pipeline, question }: PlacedQuestion,
): PipelineError | undefined {
  for (const table of question.tables.flatMap((id) => tables.get(id) ?? [])) {
    const refusal = whyNotRead(caller, table);
    if (refusal !== undefined) return refusal;
  }
  return whyWithoutScope(caller, 'data:read', pipeline);
}

/**
 * Whether the caller is told of people, as far as the scopes reach: who does not say who they are
 * is not, on whatever machine.
 */
export function mayKnowPeople({ anonymous }: Pick<Caller, 'anonymous'>): boolean {
  return !anonymous;
}

/**
 * Whether the caller may read an output; those about people are for those who say who they are, as
 * tables are.
 */
export function mayReadOutput(
  caller: Caller,
  definition: PipelineDefinition,
  output: OutputDefinition,
): boolean {
  return (
    (mayKnowPeople(caller) || !isAboutPeople(definition, output)) &&
    whyWithoutScope(caller, 'data:read', definition.name) === undefined
  );
}

/**
 * Refuses who may not read an output of the name `what`; `instead` says what is open in its place.
 */
export function requireOutput(
  { caller }: FastifyRequest,
  definition: PipelineDefinition,
  output: OutputDefinition,
  { what, instead = [] }: { readonly what: string; readonly instead?: readonly string[] },
): void {
  if (!mayKnowPeople(caller) && isAboutPeople(definition, output)) {
    const open = instead.length === 0 ? '' : `; open to all readers: ${instead.join(', ')}`;
    throw new PipelineError('AUTH_REQUIRED', `${what} tells of people: ${HOW_TO_SAY_WHO}${open}`);
  }
  const refusal = whyWithoutScope(caller, 'data:read', definition.name);
  if (refusal !== undefined) throw refusal;
}

const HOW_TO_SAY_WHO = 'sign in at the console ("quotidien console" prints a link), or send a key';

/** Whether a table has columns that are not everybody's business. */
export function hasPersonalColumns({ table, dataset }: PlacedTable): boolean {
  const classified = classifiedColumns(dataset.definition);
  return table.columns.some(
    ({ name, class: own }) =>
      (own !== undefined && own !== 'open') || classified.has(name.toLowerCase()),
  );
}
