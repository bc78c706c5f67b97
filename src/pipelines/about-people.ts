import { definedMembers } from '../given.ts';
import { classifiedColumns } from './classification.ts';
import type { Decision } from './decision.ts';
import type { CheckDefinition, OutputDefinition, PipelineDefinition } from './definition.ts';
import type { Manifest, ManifestStep } from './manifest.ts';
import { unsharded } from './shard.ts';
import type { StepId } from './vocabulary.ts';
import type { OutputDiff, VersionDiff } from './version-diff.ts';

/**
 * What of a pipeline is about people, and what is left of its records for readers who do not say
 * who they are. The values of classified columns are in no record (`classification.ts`); what is
 * left out here are whole outputs and the names of held units. Pure.
 */

/** Stands for the name of a unit. */
export const PERSONAL_UNIT = '[personal]';

/**
 * Whether an output of the definition is for those alone who say who they are: by what it declares,
 * and if it declares nothing by its pipeline.
 */
export function isAboutPeople(
  definition: PipelineDefinition,
  { class: own, columns }: Pick<OutputDefinition, 'class' | 'columns'>,
): boolean {
  if (own === undefined && columns === undefined) return classifiedColumns(definition).size > 0;
  return [own ?? 'open', ...Object.values(columns ?? {})].some((kind) => kind !== 'open');
}

/** A version without the names of units that are about people. */
export function openManifest(definition: PipelineDefinition, manifest: Manifest): Manifest {
  const steps = Object.entries(manifest.steps) as [StepId, ManifestStep][];
  return {
    ...manifest,
    steps: Object.fromEntries(steps.map(([id, step]) => [id, openStep(definition, id, step)])),
    decisions: openDecisions(definition, manifest.decisions),
  };
}

function openStep(definition: PipelineDefinition, id: StepId, step: ManifestStep): ManifestStep {
  if (step.state !== 'done') return step;
  const failedChecks = step.failedChecks.map((check) => {
    const units = isOpenCheck(definition, id, check.check)
      ? check.units
      : check.units?.map((unit) => ({ ...unit, unit: PERSONAL_UNIT }));
    return { ...check, ...definedMembers({ units }) };
  });
  return { ...step, failedChecks };
}

/** Decisions without the names of units that are about people. */
export function openDecisions(
  definition: PipelineDefinition,
  decisions: readonly Decision[],
): Decision[] {
  return decisions.map((decision) => {
    const { step, check, unit } = decision;
    if (unit === undefined || (check !== undefined && isOpenCheck(definition, step, check)))
      return decision;
    return { ...decision, unit: PERSONAL_UNIT };
  });
}

function isOpenCheck(definition: PipelineDefinition, step: StepId, id: string): boolean {
  const declared: CheckDefinition | undefined = declaredStep(definition, step)?.checks?.find(
    (check) => check.id === id,
  );
  const own = declared?.unitClass;
  return own === undefined ? classifiedColumns(definition).size === 0 : own === 'open';
}

/** A difference that says of outputs about people no more than that they are other ones. */
export function openDiff(definition: PipelineDefinition, diff: VersionDiff): VersionDiff {
  const steps = diff.steps.map((step) => {
    const outputs = declaredStep(definition, step.step)?.outputs ?? {};
    const open = ({ output, ...rest }: OutputDiff): OutputDiff => {
      // What no definition knows any more was of the same pipeline.
      if (!isAboutPeople(definition, outputs[output] ?? {})) return { output, ...rest };
      return {
        output,
        ...rest,
        content: { kind: 'bytes', why: 'tells of people: sign in to see what changed' },
      };
    };
    return { ...step, outputs: step.outputs.map(open) };
  });
  return {
    ...diff,
    ...definedMembers({ decisions: diff.decisions && openDecisions(definition, diff.decisions) }),
    steps,
  };
}

function declaredStep({ steps, rollups }: PipelineDefinition, id: StepId) {
  return [...steps, ...rollups].find((step) => step.id === id || step.id === unsharded(id));
}
