import type { S3Client } from '@aws-sdk/client-s3';

const NO_CONTENT = 204;

interface RawAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Has a client refuse good news from something that is not S3: a login page of a network or a proxy
 * answers every request with 200, and the SDK would take a put for stored and an object for its
 * page. Whatever speaks S3 sends an etag, a header of its own, or XML.
 */
export function refuseStrangers(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const answer = result.response as RawAnswer;
      if (isGoodNews(answer) && !speaksS3(answer)) {
        const message = `an answer with status ${answer.statusCode} that is not one of S3`;
        throw Object.assign(new Error(message), {
          name: 'UnreadableAnswer',
          $metadata: { httpStatusCode: answer.statusCode },
        });
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'refuseStrangers' },
  );
}

function isGoodNews({ statusCode }: RawAnswer): boolean {
  return statusCode >= 200 && statusCode < 300 && statusCode !== NO_CONTENT;
}

function speaksS3({ headers }: RawAnswer): boolean {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const type = headers['content-type'] ?? '';
  return names.some((name) => name === 'etag' || name.startsWith('x-amz-')) || type.includes('xml');
}
