import type { OutputDefinition, PipelineDefinition } from '../../pipelines/definition.ts';
import { mayReadOutput } from '../security/callers.ts';
import type { Caller } from '../security/callers.ts';

/** The formats in which a report of a day is read, and for whom each is. */

/** What a step of a report makes; `id` is the name by which a version has it. */
export interface ReportOutput {
  readonly id: string;
  readonly extension: string;
  readonly output: OutputDefinition;
}

/** In the order of the steps: of several with one extension the first is the report. */
function reportOutputs({ steps }: PipelineDefinition): ReportOutput[] {
  return steps
    .filter(({ id }) => id.startsWith('report/'))
    .flatMap(({ id, outputs }) =>
      Object.entries(outputs).map(([name, output]) => ({
        id: `${id}:${name}`,
        extension: output.extension,
        output,
      })),
    );
}

/**
 * The report of a version in a format: of several the first that it has, or else the first that is
 * declared.
 */
export function reportIn(
  definition: PipelineDefinition,
  format: string,
  version: { readonly outputs: Readonly<Record<string, unknown>> } | undefined,
): ReportOutput | undefined {
  const declared = reportOutputs(definition).filter(({ extension }) => extension === format);
  return declared.find(({ id }) => version?.outputs[id] !== undefined) ?? declared[0];
}

/** Each format of the report once, and whether it is open to the caller. */
export function reportFormats(
  definition: PipelineDefinition,
  caller: Caller,
): readonly { readonly format: string; readonly isOpen: boolean }[] {
  const byFormat = new Map<string, boolean>();
  for (const { extension, output } of reportOutputs(definition))
    if (!byFormat.has(extension))
      byFormat.set(extension, mayReadOutput(caller, definition, output));
  return [...byFormat].map(([format, isOpen]) => ({ format, isOpen }));
}
