import type { HostSettings } from '../config/settings.ts';
import type { Dataset } from '../pipelines/dataset.ts';

/** The datasets with the configured base URLs and request rates in place of the publishers' own. */
export function configuredDatasets(
  datasets: Readonly<Record<string, Dataset>>,
  hosts: Readonly<Record<string, HostSettings>>,
): Record<string, Dataset> {
  return Object.fromEntries(
    Object.entries(datasets).map(([name, dataset]) => {
      const sources = Object.entries(dataset.sources).map(([part, source]) => {
        const { url, requestsPerSecond } = hosts[source.host] ?? {};
        const changed = {
          ...source,
          baseUrl: url ?? source.baseUrl,
          requestsPerSecond: requestsPerSecond ?? source.requestsPerSecond,
        };
        return [part, changed] as const;
      });
      return [name, { ...dataset, sources: Object.fromEntries(sources) }];
    }),
  );
}

/** The publisher hosts that the datasets talk to, each once. */
export function publisherHosts(datasets: Readonly<Record<string, Dataset>>): string[] {
  const hosts = Object.values(datasets).flatMap((dataset) =>
    Object.values(dataset.sources).map((source) => source.host),
  );
  return [...new Set(hosts)].sort();
}
