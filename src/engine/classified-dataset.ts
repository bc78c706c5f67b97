import type { Dataset, StepImplementation, StepTask, UnitOutcome } from '../pipelines/dataset.ts';
import {
  classifiedColumns,
  maskError,
  maskOutcome,
  maskWords,
} from '../pipelines/classification.ts';
import type { ClassifiedColumns } from '../pipelines/classification.ts';

const known = new WeakMap<Dataset, Dataset>();

/**
 * The dataset as the engine uses it: where its definition classifies columns, nothing that its code
 * says beside its outputs holds their values. All work on a dataset goes through this, so ledger,
 * manifests, failures, logs and Temporal's history get masked values and no others.
 */
export function classifiedDataset(dataset: Dataset): Dataset {
  const made = known.get(dataset) ?? mask(dataset, classifiedColumns(dataset.definition));
  known.set(dataset, made);
  return made;
}

function mask(dataset: Dataset, columns: ClassifiedColumns): Dataset {
  if (columns.size === 0) return dataset;
  const { recognise } = dataset;
  const steps = Object.entries(dataset.steps).map(
    ([id, step]) => [id, maskStep(step, columns)] as const,
  );
  return {
    ...dataset,
    steps: Object.fromEntries(steps),
    slice: (task, sql) => said(columns, () => dataset.slice(quiet(task, columns), sql)),
    ...(recognise === undefined
      ? {}
      : { recognise: (file, sql) => rethrown(columns, () => recognise.call(dataset, file, sql)) }),
  };
}

function maskStep(step: StepImplementation, columns: ClassifiedColumns): StepImplementation {
  return step.kind === 'sql'
    ? { kind: 'sql', run: (task, sql) => said(columns, () => step.run(quiet(task, columns), sql)) }
    : {
        kind: 'plain',
        run: (task, tools) => said(columns, () => step.run(quiet(task, columns), tools)),
      };
}

function quiet<T extends Pick<StepTask, 'progress'>>(task: T, columns: ClassifiedColumns): T {
  const progress = (note: string): void => {
    task.progress(maskWords(columns, note));
  };
  return { ...task, progress };
}

async function said(
  columns: ClassifiedColumns,
  work: () => Promise<readonly UnitOutcome[]>,
): Promise<readonly UnitOutcome[]> {
  return (await rethrown(columns, work)).map((outcome) => maskOutcome(columns, outcome));
}

async function rethrown<T>(columns: ClassifiedColumns, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw maskError(columns, error);
  }
}
