import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PortalError } from './portal-error.ts';
import type { Answer } from './answer.ts';
import { refusal, refusalAnswer } from './answer.ts';
import { catalogAnswer, recordsAnswer } from './catalog.ts';
import type { PortalDataset, Revision } from './dataset.ts';
import { deliver } from './delivery.ts';
import { cityDatasets } from './city/city.ts';
import { serviceAnswer } from './city/services.ts';
import { pageAnswer, registerDataset } from './grid/services.ts';
import { meterAnswer } from './meters/answers.ts';
import type { Exporter } from './export.ts';
import { createExporter } from './export.ts';
import type { FaultBook, FaultKind, PortalFault } from './faults.ts';
import { createFaultBook, wrongAnswer } from './faults.ts';
import { openFolder } from './folder.ts';
import type { Hold, PortalRequest, RequestLog, RequestMatch } from './requests.ts';
import { createRequestLog } from './requests.ts';
import { createRegionalDataset } from './regional/dataset.ts';
import { createSyntheticDataset } from './synthetic/dataset.ts';
import type { SyntheticOptions } from './synthetic/publication.ts';

export type { Revision } from './dataset.ts';
export type { PortalFault } from './faults.ts';
export type { Hold, PortalRequest, RequestMatch } from './requests.ts';
export type { SyntheticOptions } from './synthetic/publication.ts';
export { writeSyntheticCsv } from './synthetic/write-csv.ts';

/**
 * The sample portal: a small HTTP server that speaks the Opendatasoft Explore API v2.1 as
 * `odre.opendatasoft.com` and `opendata.paris.fr` do, over made-up eCO2mix and Paris data or the
 * files of a folder, and answers for three services of Paris (Navitia disruptions, weather of
 * Visual Crossing and Open-Meteo) and for RTE's pages of monthly figures. A client changes nothing
 * but its base URLs.
 *
 * - `GET /api/explore/v2.1/catalog/datasets/{id}`: the catalogue entry with `data_processed`.
 * - `GET …/{id}/exports/csv?where=…&timezone=…&use_labels=…&delimiter=…&with_bom=…`: rows as CSV;
 *   conditional and range requests. `…/exports/json` and `…/exports/geojson`: the same as JSON, for
 *   the datasets of Paris.
 * - `GET …/{id}/records?where=…&limit=…&offset=…`: rows as JSON, 100 at a time.
 */
export interface PortalOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The publisher's clock: what is published, and how final it is, follows from it. */
  readonly now: () => Date;
  /** Meters of the made-up head-end. Default 2,000. */
  readonly meters?: number;
  /** Which synthetic world; equal seeds give equal bytes. Default 1. */
  readonly seed?: number;
  /**
   * A folder whose CSV files are served as datasets; a file takes the place of the synthetic
   * dataset of its name.
   */
  readonly folder?: string;
  /** Serves these ids only; default: all synthetic datasets and every file of the folder. */
  readonly datasets?: readonly string[];
  /** When the synthetic publisher releases what. */
  readonly publication?: SyntheticOptions;
}

/** A running portal and what tests ask of it. */
export interface Portal {
  /** Base URL without a slash at the end. */
  readonly url: string;
  /** What was asked since the start, oldest first; the last 10,000. */
  readonly requests: readonly PortalRequest[];
  /**
   * Misbehaves from now on, as the fault says. Returns a function that ends it, and releases what
   * it has stalled.
   */
  behave(fault: PortalFault): () => void;
  /**
   * Changes the values of some days of a synthetic dataset, moves its `data_processed`, and the
   * ETags of exports that hold one of the days.
   * @throws `INPUT_INVALID` for a dataset that is unknown or a file, or a range that is none.
   */
  revise(revision: Revision): void;
  /**
   * Resolves when a matching request arrives after this call, before it is answered; rejects when
   * the portal closes.
   */
  nextRequest(match?: RequestMatch): Promise<PortalRequest>;
  /** Lets matching requests arrive but gives them no answer until they are released. */
  hold(match?: RequestMatch): Hold;
  /** Releases what is held, drops every connection and frees the port. */
  close(): Promise<void>;
}

async function openDatasets(options: PortalOptions): Promise<Pick<Desk, 'datasets' | 'files'>> {
  const seed = options.seed ?? 1;
  const publication = options.publication ?? {};
  const synthetic = (['eco2mix-national-tr', 'eco2mix-national-cons-def'] as const).map((id) =>
    createSyntheticDataset(id, seed, publication),
  );
  const regional = (['eco2mix-regional-tr', 'eco2mix-regional-cons-def'] as const).map((id) =>
    createRegionalDataset(id, seed, publication),
  );
  const files = options.folder === undefined ? [] : await openFolder(options.folder);
  const all = new Map(
    [...synthetic, ...regional, registerDataset(), ...cityDatasets(seed), ...files].map(
      (dataset) => [dataset.id, dataset],
    ),
  );
  const names = new Set(files.map(({ id }) => id));
  const { datasets: wanted } = options;
  if (wanted === undefined) return { datasets: all, files: names };
  return { datasets: new Map(wanted.map((id) => [id, datasetOf(all, id)])), files: names };
}

function datasetOf(datasets: ReadonlyMap<string, PortalDataset>, id: string): PortalDataset {
  const dataset = datasets.get(id);
  if (dataset !== undefined) return dataset;
  throw new PortalError(
    'INPUT_INVALID',
    `The sample portal has no dataset ${id}; it has ${[...datasets.keys()].join(', ')}.`,
  );
}

/** Goes with every answer that is made up: whoever keeps it can tell it from a publisher's. */
export const SAMPLE_HEADER = 'x-quotidien-sample';

const KEEP_ALIVE_MS = 65_000;
const MADE_METERS = 2_000;

interface Desk {
  readonly options: PortalOptions;
  /** Datasets that are files of a folder: those may be real. */
  readonly files: ReadonlySet<string>;
  readonly datasets: ReadonlyMap<string, PortalDataset>;
  readonly log: RequestLog;
  readonly faults: FaultBook;
  readonly exporter: Exporter;
}

async function rightAnswer(
  desk: Desk,
  request: PortalRequest,
  fault: FaultKind | undefined,
): Promise<Answer> {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw refusal(405, 'MethodNotAllowed', `The method ${request.method} is not allowed.`);
    }
    const dataset = request.dataset === undefined ? undefined : desk.datasets.get(request.dataset);
    const service = serviceAnswer(request, desk.options.seed ?? 1, desk.options.now());
    if (service !== undefined) return service;
    const page = pageAnswer(request, desk.options.seed ?? 1, desk.options.now());
    if (page !== undefined) return page;
    const { seed = 1, meters = MADE_METERS, now } = desk.options;
    const metered = meterAnswer(request, { seed, meters, now: now() });
    if (metered !== undefined) return metered;
    if (request.endpoint === 'other')
      throw refusal(404, 'NotFoundError', `Nothing is at ${request.path}.`);
    if (dataset === undefined)
      throw refusal(404, 'NotFoundError', `Unknown dataset: ${request.dataset ?? ''}`);
    const state = await dataset.state(desk.options.now());
    if (request.endpoint === 'catalog') return await catalogAnswer(dataset, state);
    if (request.endpoint === 'records') return await recordsAnswer(request, state);
    return await desk.exporter.answer(request, state, fault);
  } catch (error) {
    return refusalAnswer(error);
  }
}

function madeUp({ files }: Desk, { dataset }: PortalRequest, answer: Answer): Answer {
  if (dataset !== undefined && files.has(dataset)) return answer;
  return { ...answer, headers: { ...answer.headers, [SAMPLE_HEADER]: 'made-up' } };
}

async function serve(
  desk: Desk,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const request = await desk.log.open(incoming, response);
  const active = desk.faults.take(request);
  const wrong = active === undefined ? undefined : wrongAnswer(active.fault);
  const answer = wrong ?? madeUp(desk, request, await rightAnswer(desk, request, active?.fault));
  try {
    await deliver({ response, request, signal: gone.signal }, answer, active);
  } catch {
    // The client is gone, or a body failed after its headers: only a broken connection says so
    // honestly.
    response.destroy();
  }
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new PortalError(
      'CONFIG_INVALID',
      `The sample portal cannot listen on ${host}:${port}: choose another port.`,
      { cause },
    );
  }
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

/**
 * Starts a sample portal on this machine.
 * @throws `CONFIG_INVALID` when the port is taken; `INPUT_INVALID` when the folder cannot be read
 * or holds one name twice, or when `datasets` names an unknown one.
 */
export async function startPortal(options: PortalOptions): Promise<Portal> {
  const desk: Desk = {
    options,
    ...(await openDatasets(options)),
    log: createRequestLog(options.now),
    faults: createFaultBook(),
    exporter: createExporter(),
  };
  const server = createServer((incoming, response) => {
    // Only a `match` function given from outside can fail here; its author sees the connection
    // break.
    serve(desk, incoming, response).catch(() => response.destroy());
  });
  // Clients that pause between requests must not find a connection that is just being closed.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const url = await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  return {
    url,
    requests: desk.log.requests,
    behave: (fault) => desk.faults.add(fault),
    revise(revision) {
      datasetOf(desk.datasets, revision.dataset).revise(revision, options.now());
    },
    nextRequest: (match = {}) => desk.log.next(match),
    hold: (match = {}) => desk.log.hold(match),
    async close() {
      desk.log.close();
      desk.faults.close();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
