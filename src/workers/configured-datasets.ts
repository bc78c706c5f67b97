import { PipelineError } from '../errors.ts';
import { hostVariable } from '../config/settings.ts';
import type { HostSettings } from '../config/settings.ts';
import type { Dataset, HttpSource } from '../pipelines/dataset.ts';
import type { PipelineDefinition, StepDefinition } from '../pipelines/definition.ts';
import type { JsonObject } from '../ports/json.ts';

type Thresholds = Readonly<Record<string, number>>;

/**
 * The datasets with what the configuration says in place of their own: base URLs, request rates and keys of publishers, and thresholds. A part
 * whose publisher wants a key that nobody gave is closed. `CONFIG_INVALID` lists thresholds that no pipeline has.
 */
export function configuredDatasets(
  datasets: Readonly<Record<string, Dataset>>,
  hosts: Readonly<Record<string, HostSettings>>,
  thresholds: Readonly<Record<string, Thresholds>> = {},
): Record<string, Dataset> {
  refuseUnknown(datasets, thresholds);
  return Object.fromEntries(
    Object.entries(datasets).map(([name, dataset]) => {
      const sources = Object.entries(dataset.sources).map(
        ([part, source]) => [part, configuredSource(source, hosts[source.host] ?? {})] as const,
      );
      const definition = configuredDefinition(dataset.definition, Object.fromEntries(sources), thresholds[name] ?? {});
      return [name, { ...dataset, definition, sources: Object.fromEntries(sources) }];
    }),
  );
}

function refuseUnknown(
  datasets: Readonly<Record<string, Dataset>>,
  thresholds: Readonly<Record<string, Thresholds>>,
): void {
  const unknown = Object.entries(thresholds).flatMap(([pipeline, named]) => {
    const known = datasets[pipeline]?.definition.thresholds ?? {};
    return Object.keys(named).flatMap((name) => (Object.hasOwn(known, name) ? [] : [`${pipeline}.${name}`]));
  });
  if (unknown.length === 0) return;
  const known = Object.values(datasets).flatMap(({ definition }) =>
    Object.keys(definition.thresholds ?? {}).map((name) => `${definition.name}.${name}`),
  );
  throw new PipelineError(
    'CONFIG_INVALID',
    `QUOTIDIEN_THRESHOLDS names ${unknown.join(', ')}; there are ${known.join(', ')}`,
  );
}

function configuredSource(source: HttpSource, { url, requestsPerSecond, key, maxMb }: HostSettings): HttpSource {
  const { credential } = source;
  return {
    ...source,
    ...(url === undefined ? {} : { baseUrl: url, trusted: true }),
    ...(maxMb === undefined ? {} : { maxBytes: maxMb * 2 ** 20 }),
    requestsPerSecond: requestsPerSecond ?? source.requestsPerSecond,
    ...(credential === undefined || key === undefined ? {} : { credential: { ...credential, key } }),
  };
}

function configuredDefinition(
  definition: PipelineDefinition,
  sources: Readonly<Record<string, HttpSource>>,
  thresholds: Thresholds,
): PipelineDefinition {
  const closed: Record<string, string> = {};
  for (const [part, { credential, host }] of Object.entries(sources)) {
    if (credential !== undefined && credential.key === undefined) closed[part] = hostVariable(host, 'KEY');
  }
  if (Object.keys(closed).length === 0 && Object.keys(thresholds).length === 0) return definition;
  return {
    ...definition,
    parts: definition.parts.map((part) => {
      const setting = closed[part.id];
      return setting === undefined ? part : { ...part, closed: `its publisher wants a key: set ${setting}` };
    }),
    steps: definition.steps.map((step) => configuredStep(step, { ...definition.thresholds, ...thresholds }, closed)),
  };
}

function configuredStep(step: StepDefinition, thresholds: Thresholds, closed: JsonObject): StepDefinition {
  const { params } = step;
  if (params === undefined) return step;
  return {
    ...step,
    params: {
      ...params,
      ...('thresholds' in params ? { thresholds } : {}),
      ...('closed_parts' in params ? { closed_parts: closed } : {}),
    },
  };
}

/** The publisher hosts that the datasets talk to, each once. */
export function publisherHosts(datasets: Readonly<Record<string, Dataset>>): string[] {
  const hosts = Object.values(datasets).flatMap((dataset) =>
    Object.values(dataset.sources).map((source) => source.host),
  );
  return [...new Set(hosts)].sort();
}
