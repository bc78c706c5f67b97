import type { DepositMode } from '../engine/engine.ts';
import { PipelineError } from '../errors.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';

/** Parts that the configuration says nobody is to be asked for. */

/** `CONFIG_INVALID` for sources that no pipeline has. */
export function refuseUnknownSources(
  datasets: Readonly<Record<string, Dataset>>,
  enabled: readonly string[] = [],
): void {
  const known = Object.values(datasets).flatMap(({ rawNames }) =>
    Object.keys(rawNames?.sources ?? {}),
  );
  const unknown = enabled.filter((name) => !known.includes(name));
  if (unknown.length === 0 || known.length === 0) return;
  throw new PipelineError(
    'CONFIG_INVALID',
    `ENABLE_SOURCES names ${unknown.join(', ')}; there are ${known.join(', ')}`,
  );
}

/** The parts that are not asked for, each with why. */
export function closedParts(
  { rawNames }: Dataset,
  deposits: DepositMode | undefined,
  enabled: readonly string[] | undefined,
): Record<string, string> {
  if (rawNames === undefined) return {};
  const closed: Record<string, string> = {};
  if (deposits === 'instead')
    for (const part of rawNames.parts ?? [])
      closed[part] = 'QUOTIDIEN_DEPOSITS=instead: other programs bring its files';
  if (enabled === undefined) return closed;
  for (const [source, parts] of Object.entries(rawNames.sources ?? {})) {
    if (enabled.includes(source)) continue;
    for (const part of parts) closed[part] = `ENABLE_SOURCES leaves ${source} out`;
  }
  return closed;
}

/** The definition with these parts closed. */
export function withClosed(
  definition: PipelineDefinition,
  closed: Readonly<Record<string, string>>,
): PipelineDefinition {
  if (Object.keys(closed).length === 0) return definition;
  const parts = definition.parts.map((part) => {
    const why = closed[part.id];
    return why === undefined ? part : { ...part, closed: why };
  });
  return { ...definition, parts };
}
