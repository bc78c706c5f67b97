import type { JsonObject, JsonValue, LocalArtefact } from '../../kit/index.ts';
import type { ArtefactIdentity, Provenance, SourceSlice } from './model.ts';

/** Parts of the pipeline in their fixed order, with the publisher's name of what they bring. */
const DATASETS: Readonly<Record<string, string>> = {
  tr: 'eco2mix-national-tr',
  'cons-def': 'eco2mix-national-cons-def',
  rte: 'eCO2mix_RTE (.xls)',
  'rte-annual': 'RTE, consommation annuelle définitive (.csv)',
};

/** The inputs of a report by name; the comparison may not have been made. */
export interface ReportArtefacts {
  readonly core: LocalArtefact;
  readonly metrics: LocalArtefact;
  readonly comparison: LocalArtefact | undefined;
}

/**
 * What the report was made from. Only contents are named, by hash: keys and places of artefacts may
 * differ between two runs that must give the same bytes. Versions of other steps come through the
 * step's parameter `step_versions`, because only parameters and inputs are part of the step key.
 */
export function provenanceOf(
  { core, metrics, comparison }: ReportArtefacts,
  params: JsonObject,
): Provenance {
  const facts = core.facts ?? {};
  return {
    slices: slicesOf(facts['sources']),
    artefacts: {
      core: identityOf(core),
      metrics: identityOf(metrics),
      comparison: comparison === undefined ? null : identityOf(comparison),
    },
    unknown_columns: textsOf(facts['unknown_columns']),
    step_versions: versionsOf(params['step_versions']),
  };
}

/** The publisher's name of what a part brings. */
export function datasetName(part: string): string {
  return DATASETS[part] ?? part;
}

function identityOf({ ref }: LocalArtefact): ArtefactIdentity {
  return { sha256: ref.sha256, bytes: ref.bytes, rows: ref.rows ?? null };
}

function slicesOf(sources: JsonValue | undefined): SourceSlice[] {
  const byPart = objectOf(sources);
  const known = Object.keys(DATASETS).filter((part) => part in byPart);
  const others = Object.keys(byPart).filter((part) => !(part in DATASETS));
  return [...known, ...others.sort()].map((part) => {
    const { rows, sha256 } = objectOf(byPart[part]) as { rows?: JsonValue; sha256?: JsonValue };
    return {
      part,
      dataset: datasetName(part),
      rows: typeof rows === 'number' ? rows : null,
      sha256: typeof sha256 === 'string' ? sha256 : null,
    };
  });
}

function versionsOf(versions: JsonValue | undefined): Record<string, number> {
  const entries = Object.entries(objectOf(versions)).filter((entry): entry is [string, number] =>
    Number.isInteger(entry[1]),
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string').sort() : [];
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}
