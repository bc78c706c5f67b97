import { canonicalJson, PipelineError } from '../../kit/index.ts';
import type { CivilDate, DaySpan } from '../../kit/index.ts';
import { createHash } from 'node:crypto';
import type { Tree } from './forest.ts';
import type { Judgement } from './judge.ts';

/**
 * A trained forest as an artefact: everything that made it, and how good it was. It is named by the
 * hash of all that, so that the same rows, parameters and seed are the same model.
 */

/** How one method did on days that it had not seen; null where nothing says what is true. */
export interface MethodMetrics {
  /** `forest`, or a plain rule to hold it against. */
  readonly method: string;
  /** Days of the validation, or of the test: later days, and meters that were not trained on. */
  readonly on: 'validation' | 'test';
  readonly rows: number;
  /** Share of the rows above the threshold, 0–1. */
  readonly flagged: number;
  readonly judged: (Omit<Judgement, 'flagged'> & { readonly ap: number }) | null;
}

/** All but the name. */
export interface ModelBody {
  readonly kind: typeof MODEL_KIND;
  readonly valid_from: CivilDate;
  /** Columns of `metrics/features`, in the order of the trees. */
  readonly features: readonly string[];
  readonly parameters: {
    readonly trees: number;
    readonly sample_rows: number;
    readonly contamination: number;
  };
  readonly seed: number;
  readonly days: { readonly train: DaySpan; readonly validation: DaySpan; readonly test: DaySpan };
  /** Hash of the rows that it was made from. */
  readonly input: string;
  readonly rows: number;
  /** A row above it is an anomaly. */
  readonly threshold: number;
  /** Quantiles .95, .99 and .999 of the scores of the training rows. */
  readonly severity: { readonly low: number; readonly medium: number; readonly high: number };
  readonly metrics: readonly MethodMetrics[];
  /** Largest population stability index of a feature, training against validation. */
  readonly psi: number;
  /** The model that was in force, judged on the same rows; null where there was none. */
  readonly champion: { readonly name: string; readonly ap: number | null } | null;
  readonly trees: readonly Tree[];
}

/** A body with its name. */
export interface Model extends ModelBody {
  /** Sixteen hexadecimal digits. */
  readonly name: string;
}

/** By which a file is recognised; the first member of it. */
export const MODEL_KIND = 'quotidien-meter-model';
/** So much worse may a new model be on the days of the validation. */
const WORSE_BY = 0.02;
/**
 * Above it whoever trains is told that the days of the validation are others than those of the
 * training.
 */
export const PSI_WARNED = 0.2;

/** The artefact as the text of a file: one line. */
export function modelText(body: ModelBody): string {
  const { kind, ...rest } = body;
  return `${JSON.stringify({ kind, name: nameOf(body), ...rest })}\n`;
}

function nameOf(body: ModelBody): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex').slice(0, 16);
}

/** @throws `SRC_SHAPE_CHANGED` for what is no model, or was changed after it was made */
export function readModel(text: string): Model {
  let model: Omit<Model, 'kind'> & { readonly kind: string };
  try {
    model = JSON.parse(text) as Model;
  } catch (cause) {
    throw new PipelineError('SRC_SHAPE_CHANGED', 'the model is no JSON document', { cause });
  }
  const { kind, name, ...rest } = model;
  const body = { kind: MODEL_KIND, ...rest } as const;
  if (kind !== MODEL_KIND || nameOf(body) !== name)
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      'the file is no model, or is not what was trained: its name is another',
    );
  return { ...body, name };
}

/** What becomes of a new model, and why. `unclear`: a person decides. */
export interface Promotion {
  readonly verdict: 'promoted' | 'refused' | 'unclear';
  readonly reason: string;
}

/**
 * The rule: at most 0.02 of average precision below the model in force, on the same rows. The first
 * model has nothing to be held against.
 */
export function promotionOf({ metrics, champion }: ModelBody): Promotion {
  if (champion === null) return { verdict: 'promoted', reason: 'there is no model before it' };
  const own =
    metrics.find(({ method, on }) => method === 'forest' && on === 'validation')?.judged?.ap ??
    null;
  if (own === null || champion.ap === null)
    return {
      verdict: 'unclear',
      reason: 'no label of the days of the validation says which model is better',
    };
  const beside = `average precision ${own.toFixed(3)} beside ${champion.ap.toFixed(3)} of ${champion.name}`;
  if (own < champion.ap - WORSE_BY) return { verdict: 'refused', reason: beside };
  return { verdict: 'promoted', reason: beside };
}
