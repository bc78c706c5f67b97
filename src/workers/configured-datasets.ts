import { definedMembers } from '../given.ts';
import { PipelineError } from '../errors.ts';
import { hostVariable } from '../config/settings.ts';
import type { HostSettings } from '../config/settings.ts';
import type { DepositMode } from '../engine/engine.ts';
import { closedParts, refuseUnknownSources, withClosed } from './closed-parts.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type {
  FolderSource,
  HttpSource,
  SourceDeclaration,
} from '../pipelines/source-declaration.ts';
import type { PipelineDefinition, StepDefinition } from '../pipelines/definition.ts';
import type { JsonObject, JsonValue } from '../ports/json.ts';

type Thresholds = Readonly<Record<string, number>>;

/** What the configuration says of datasets besides their hosts. */
export interface DatasetSettings {
  readonly thresholds?: Readonly<Record<string, Thresholds>>;
  /** By pipeline, in how many shards its days come. */
  readonly shards?: Readonly<Record<string, number>>;
  /** With `instead` no publisher is asked for what other programs bring. */
  readonly deposits?: DepositMode;
  /**
   * The sources that are asked, of those that `ENABLE_SOURCES` knows; all of them unless it is
   * given.
   */
  readonly sources?: readonly string[] | undefined;
}

/**
 * The datasets with what the configuration says in place of their own: base URLs, request rates and
 * keys of publishers, and thresholds. A part whose publisher wants a key that nobody gave is
 * closed. `CONFIG_INVALID` lists thresholds that no pipeline has, and shards that one cannot come
 * in.
 */
export function configuredDatasets(
  datasets: Readonly<Record<string, Dataset>>,
  hosts: Readonly<Record<string, HostSettings>>,
  { thresholds = {}, shards = {}, deposits, sources: enabled }: DatasetSettings = {},
  secret?: () => Promise<string>,
): Record<string, Dataset> {
  refuseUnknown(datasets, thresholds);
  refuseShards(datasets, shards);
  refuseUnknownSources(datasets, enabled);
  return Object.fromEntries(
    Object.entries(datasets).map(([name, plain]) => {
      const known = secret === undefined ? plain : (plain.withSecret?.(secret) ?? plain);
      const of = shards[name];
      const dataset = of === undefined ? known : (known.shards?.with(of) ?? known);
      const sources = Object.entries(dataset.sources).map(
        ([part, source]) => [part, configuredSource(source, hosts[source.host] ?? {})] as const,
      );
      const configured = configuredDefinition(
        dataset.definition,
        Object.fromEntries(sources),
        thresholds[name] ?? {},
      );
      const definition = withClosed(configured, closedParts(dataset, deposits, enabled));
      return [
        name,
        {
          ...dataset,
          definition,
          sources: Object.fromEntries(sources),
          ...configuredDecoder(dataset, hosts),
        },
      ];
    }),
  );
}

function refuseUnknown(
  datasets: Readonly<Record<string, Dataset>>,
  thresholds: Readonly<Record<string, Thresholds>>,
): void {
  const unknown = Object.entries(thresholds).flatMap(([pipeline, named]) => {
    const known = datasets[pipeline]?.definition.thresholds ?? {};
    return Object.keys(named).flatMap((name) =>
      Object.hasOwn(known, name) ? [] : [`${pipeline}.${name}`],
    );
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

function refuseShards(
  datasets: Readonly<Record<string, Dataset>>,
  shards: Readonly<Record<string, number>>,
): void {
  const wrong = Object.entries(shards).flatMap(([pipeline, of]) => {
    const possible = datasets[pipeline]?.shards?.of;
    if (possible === undefined) return [`${pipeline} does not come in shards`];
    return possible.includes(of)
      ? []
      : [`${pipeline} comes in ${possible.join(', ')} shards, not in ${of}`];
  });
  if (wrong.length > 0)
    throw new PipelineError('CONFIG_INVALID', `QUOTIDIEN_SHARDS: ${wrong.join('; ')}`);
}

function configuredDecoder(
  { decoder }: Dataset,
  hosts: Readonly<Record<string, HostSettings>>,
): Pick<Dataset, 'decoder'> {
  const keys = decoder === undefined ? undefined : hosts[decoder.host]?.fileKeys;
  if (decoder === undefined || keys === undefined) return {};
  decoder.checkKeys(keys);
  return { decoder: { ...decoder, keys } };
}

function configuredSource(source: SourceDeclaration, settings: HostSettings): SourceDeclaration {
  checkProtocol(source, settings);
  return source.kind === 'folder'
    ? configuredFolder(source, settings)
    : configuredHttp(source, settings);
}

function checkProtocol({ kind, host }: SourceDeclaration, { url }: HostSettings): void {
  if (url !== undefined && new URL(url).password !== '')
    throw new PipelineError(
      'CONFIG_INVALID',
      `${hostVariable(host, 'URL')} has a password: move it to ${hostVariable(host, 'KEY')}`,
    );
  if (url === undefined || (kind === 'folder') === /^(sftp|file):/.test(url)) return;
  const wanted = kind === 'folder' ? 'sftp://user@host/folder or file:///folder' : 'http or https';
  throw new PipelineError('CONFIG_INVALID', `${hostVariable(host, 'URL')} takes ${wanted}`);
}

function configuredFolder(source: FolderSource, settings: HostSettings): FolderSource {
  const { url, requestsPerSecond, key, hostKeys = [] } = settings;
  return {
    ...source,
    requestsPerSecond: requestsPerSecond ?? source.requestsPerSecond,
    ...(url === undefined ? {} : { access: { url, hostKeys, ...definedMembers({ secret: key }) } }),
  };
}

function configuredHttp(
  source: HttpSource,
  { url, requestsPerSecond, key, maxMb }: HostSettings,
): HttpSource {
  const { credential } = source;
  return {
    ...source,
    ...(url === undefined ? {} : { baseUrl: url, trusted: true }),
    ...(maxMb === undefined ? {} : { maxBytes: maxMb * 2 ** 20 }),
    requestsPerSecond: requestsPerSecond ?? source.requestsPerSecond,
    ...(credential === undefined || key === undefined
      ? {}
      : { credential: { ...credential, key } }),
  };
}

function configuredDefinition(
  definition: PipelineDefinition,
  sources: Readonly<Record<string, SourceDeclaration>>,
  thresholds: Thresholds,
): PipelineDefinition {
  const closed: Record<string, string> = {};
  for (const [part, source] of Object.entries(sources)) {
    const setting = settingMissing(source);
    if (setting !== undefined) closed[part] = setting;
  }
  if (Object.keys(closed).length === 0 && Object.keys(thresholds).length === 0) return definition;
  return {
    ...definition,
    parts: definition.parts.map((part) => {
      const setting = closed[part.id];
      const why =
        part.source === 'folder' ? 'nobody said where its files are' : 'its publisher wants a key';
      return setting === undefined ? part : { ...part, closed: `${why}: set ${setting}` };
    }),
    steps: definition.steps.map((step) =>
      configuredStep(step, { ...definition.thresholds, ...thresholds }, closed),
    ),
  };
}

/** The setting without which a source cannot be asked. */
function settingMissing(source: SourceDeclaration): string | undefined {
  if (source.kind === 'folder')
    return source.access === undefined ? hostVariable(source.host, 'URL') : undefined;
  const { credential, host } = source;
  return credential !== undefined && credential.key === undefined
    ? hostVariable(host, 'KEY')
    : undefined;
}

function configuredStep(
  step: StepDefinition,
  thresholds: Thresholds,
  closed: JsonObject,
): StepDefinition {
  const { params } = step;
  if (params === undefined) return step;
  return {
    ...step,
    params: {
      ...params,
      ...('thresholds' in params
        ? { thresholds: ownThresholds(params['thresholds'], thresholds) }
        : {}),
      ...('closed_parts' in params ? { closed_parts: closed } : {}),
    },
  };
}

/**
 * Those that the step names: one that other steps hang on must not change its key. A step that
 * names none is given all.
 */
function ownThresholds(named: JsonValue | undefined, thresholds: Thresholds): Thresholds {
  const own = typeof named === 'object' && named !== null ? Object.keys(named) : [];
  if (own.length === 0) return thresholds;
  return Object.fromEntries(
    own.flatMap((name) => (name in thresholds ? [[name, thresholds[name] ?? 0]] : [])),
  );
}

/** The publisher hosts that the datasets talk to, each once. */
export function publisherHosts(datasets: Readonly<Record<string, Dataset>>): string[] {
  return hostsOf(datasets, () => true);
}

/** Those that are asked over HTTP, as the sample portal answers. */
export function httpHosts(datasets: Readonly<Record<string, Dataset>>): string[] {
  return hostsOf(datasets, ({ kind }) => kind !== 'folder');
}

function hostsOf(
  datasets: Readonly<Record<string, Dataset>>,
  isMeant: (source: SourceDeclaration) => boolean,
): string[] {
  const sources = Object.values(datasets).flatMap((dataset) => Object.values(dataset.sources));
  return [...new Set(sources.filter(isMeant).map(({ host }) => host))].sort();
}
