import { z } from 'zod';

/**
 * What routes send, as the OpenAPI document tells it: every status and every media type. A status
 * that is not told here is an error of ours, so there is no `default`.
 */

/** Answers that are streamed or sent as text. */
export const anything = z.any();

/** Answers whose members the reading functions define. */
export const anyRecord = z.record(z.string(), z.unknown());

/** The form of every answer that is an error. */
const problem = z
  .object({
    type: z.string().describe('The page that describes the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().describe('Of the error table'),
    remedy: z.string().describe('What a person does next'),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });

function refusal(description: string) {
  return { description, content: { 'application/problem+json': { schema: problem } } };
}

/** For `response` of every route. */
export const problems = {
  400: refusal('The request is not valid, or asks for what is not possible'),
  401: refusal('It needs a key or a sign-in'),
  403: refusal('The key or the role has not the scope, or the request is from elsewhere'),
  404: refusal('There is nothing under this name'),
  429: refusal('Too many requests for the moment; `Retry-After` says when to come again'),
  431: refusal('The headers, or the address, are longer than this server takes'),
  500: refusal('The request failed; the log of the server says more'),
  503: refusal('What is needed is busy or away; `Retry-After` says when to come again'),
};

/** Of routes that orders are sent to. */
export const orderProblems = {
  ...problems,
  409: refusal('What the order was made for is no longer so'),
  413: refusal('The body is larger than this route takes'),
  415: refusal('The body has a media type that this route does not take'),
};

/** Nothing is sent: the caller has it. Of routes with an `ETag`. */
export const unchanged = {
  304: z.null().describe('The caller has it already: its tag is the same'),
};

/** Of routes that have several media types. */
export const negotiated = { 406: refusal('It comes in none of the media types of `Accept`') };

/** Of routes that bound a range of days, or the rows of an answer. */
export const bounded = { 422: refusal('The range is larger than is given at once') };

/** Of routes whose pages belong together. */
export const paged = { 409: refusal('The rows of the cursor are no longer there') };

/** Of routes that plan a run. */
export const planned = {
  409: refusal('No run of this can be planned, such as of a day before the first'),
};

/** Of routes that send files by ranges of bytes. */
export const byRanges = { 416: refusal('The range of bytes is outside of the file') };

/** An answer by its media types, each with what it is. */
export function answerAs(description: string, media: Readonly<Record<string, z.ZodType>>) {
  const types = Object.entries(media).map(([type, schema]) => [type, { schema }] as const);
  return { description, content: Object.fromEntries(types) };
}

/** Text of a media type that is no JSON, such as CSV. */
export const plainText = z.string();

/** For `response` of a route that sends a table as CSV, streamed. */
export const csvText = answerAs('The table as CSV', { 'text/csv': plainText });
