import { PipelineError } from '../../kit/index.ts';
import type { LocalArtefact, PlainTools, StepUnit } from '../../kit/index.ts';

/**
 * The one artefact of a required input; `INTERNAL` when the engine gave none, because no day is
 * planned without it.
 */
export function requiredInput(unit: StepUnit, name: string): LocalArtefact {
  const artefact = optionalInput(unit, name);
  if (artefact === undefined) {
    throw new PipelineError(
      'INTERNAL',
      `the report of ${unit.scope} was started without its input ${name}`,
    );
  }
  return artefact;
}

/** The first artefact of an input; undefined where the engine gave none. */
export function optionalInput(unit: StepUnit, name: string): LocalArtefact | undefined {
  return unit.inputs[name]?.[0];
}

/**
 * Reads a JSON document that another step wrote for this day. Its bytes were verified against their
 * hash, so that only its identity is looked at: `INPUT_INVALID` when it has another schema or
 * another date than it should.
 */
export async function readDocument<T extends { readonly schema: string; readonly date: string }>(
  tools: PlainTools,
  artefact: LocalArtefact,
  expected: { readonly schema: T['schema']; readonly date: string; readonly madeBy: string },
): Promise<T> {
  const document = parse(await tools.read(artefact), artefact) as Partial<T> | null;
  const found = { schema: String(document?.schema), date: String(document?.date) };
  if (found.schema !== expected.schema || found.date !== expected.date) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${artefact.ref.key} holds ${found.schema} of ${found.date} where the report needs ${expected.schema} of ` +
        `${expected.date}: re-run ${expected.madeBy} for the day`,
    );
  }
  return document as T;
}

function parse(bytes: Uint8Array, { ref }: LocalArtefact): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${ref.key} is not JSON in UTF-8: re-run the step that made it`,
      {
        cause,
      },
    );
  }
}
