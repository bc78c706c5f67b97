import { exchange, textOf } from '../../engine/sources/http-exchange.ts';
import { PipelineError } from '../../errors.ts';
import { httpSourceOf } from '../../pipelines/source-declaration.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { HttpSource } from '../../pipelines/source-declaration.ts';
import { CODE_VERSION } from '../../workers/code-version.ts';
import { hostVariable } from '../../config/settings.ts';
import { timed, whyFailed } from './finding.ts';
import type { Finding } from './finding.ts';
import { toldTime } from './store-clocks.ts';

/**
 * Asks every publisher for its cheap freshness value, once and briefly; being offline is a warning.
 */

const ANSWER_WITHIN_MS = 5_000;

/** Far more than the description of a dataset has. */
const MAX_BYTES = 16 * 2 ** 20;

/** Schedules and publication calendars go by minutes. */
const CLOCK_WARN_MS = 30_000;

interface Asked {
  readonly finding: Finding;
  /** Our clock minus the publisher's, in milliseconds; the publisher tells whole seconds. */
  readonly clockMs?: number;
}

/** One finding per part, and one about the clock, from the time that the publishers tell. */
export async function examinePublishers(
  datasets: Readonly<Record<string, Dataset>>,
  signal: AbortSignal,
): Promise<Finding[]> {
  const sources = Object.values(datasets).flatMap((dataset) =>
    Object.keys(dataset.sources).flatMap((part) => {
      const source = httpSourceOf(dataset, part);
      return source === undefined
        ? []
        : [{ subject: `${dataset.definition.name}, ${part}`, source }];
    }),
  );
  const asked = await Promise.all(
    sources.map(({ subject, source }) => ask(subject, source, signal)),
  );
  const clocks = asked.flatMap(({ clockMs }) => (clockMs === undefined ? [] : [clockMs]));
  return [...asked.map(({ finding }) => finding), clockFinding(clocks)];
}

async function ask(subject: string, source: HttpSource, signal: AbortSignal): Promise<Asked> {
  const url = new URL(
    source.freshness?.path ?? '',
    source.baseUrl.endsWith('/') ? source.baseUrl : `${source.baseUrl}/`,
  );
  const unusable = (detail: string): Asked => ({
    finding: {
      area: 'publishers',
      subject,
      status: 'warn',
      detail: `${url.href} ${detail}`,
      next: `Check the network, a proxy, and ${hostVariable(source.host, 'URL')}. Days that are fetched already are not concerned.`,
      degrades: true,
    },
  });
  try {
    const { value, durationMs } = await timed(async () => {
      const sentAt = Date.now();
      const response = await exchange({
        url: url.href,
        headers: { 'user-agent': `quotidien/${CODE_VERSION}`, accept: 'application/json' },
        trusted: source.trusted,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      const clock = clockDifference(response.header('date'), (sentAt + Date.now()) / 2);
      return { status: response.status, text: await textOf(url.href, response, MAX_BYTES), clock };
    });
    // Without a freshness document any answer of the host shows that it is there.
    if (source.freshness === undefined && value.status < 500)
      return {
        finding: {
          area: 'publishers',
          subject,
          status: 'ok',
          detail: `${url.host} answers`,
          durationMs,
        },
        ...value.clock,
      };
    if (value.status !== 200) return unusable(`answered ${value.status}`);
    const freshness = freshnessIn(source, value.text);
    if (freshness === undefined)
      return unusable('answers, but without the freshness value that is expected there');
    const detail = `${url.host}: ${freshness}`;
    return {
      finding: { area: 'publishers', subject, status: 'ok', detail, durationMs },
      ...value.clock,
    };
  } catch (error) {
    signal.throwIfAborted();
    return unusable(`cannot be reached (${networkReason(error)})`);
  }
}

function clockDifference(date: string | null, hereMs: number): { readonly clockMs?: number } {
  const thereMs = toldTime(date);
  return thereMs === undefined ? {} : { clockMs: hereMs - thereMs };
}

/** A source without a freshness document has answered, and that is all there is to know. */
function freshnessIn({ freshness }: HttpSource, text: string): string | undefined {
  if (freshness === undefined) return 'answers';
  try {
    const value = freshness.valueOf(JSON.parse(text));
    return value === undefined ? undefined : `last changed ${value}`;
  } catch {
    return undefined;
  }
}

/** The system's word. A time limit reaches us as the cause of an abort. */
function networkReason(error: unknown): string {
  const { cause, code } = error as { cause?: unknown; code?: string };
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return `no answer within ${ANSWER_WITHIN_MS / 1000} s`;
  return error instanceof PipelineError ? whyFailed(error) : (code ?? whyFailed(error));
}

/** By the publisher that is nearest to this clock: another one may be wrong itself. */
function clockFinding(differencesMs: readonly number[]): Finding {
  const common = { area: 'clock', subject: 'this machine' } as const;
  if (differencesMs.length === 0)
    return { ...common, status: 'ok', detail: 'not compared: no publisher told its time' };
  const least = Math.min(...differencesMs.map((difference) => Math.abs(difference)));
  const detail = `${(least / 1000).toFixed(1)} s off the publishers’ time`;
  if (least < CLOCK_WARN_MS) return { ...common, status: 'ok', detail };
  const next = 'Set the clock and keep it set (NTP): schedules and publication times go by it.';
  return { ...common, status: 'warn', detail, next };
}
